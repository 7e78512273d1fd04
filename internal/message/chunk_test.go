package message

import (
	"testing"

	"pgregory.net/rapid"
)

// shelf is a pool that forgets nothing, and hands out at once what came back.
type shelf struct {
	chunks []*Chunk
	put    int
}

func (s *shelf) Get() *Chunk {
	if len(s.chunks) == 0 {
		return nil
	}
	c := s.chunks[len(s.chunks)-1]
	s.chunks = s.chunks[:len(s.chunks)-1]
	return c
}

func (s *shelf) Put(c *Chunk) {
	s.put++
	s.chunks = append(s.chunks, c)
}

// Two connections share a pool. Messages are held once or more and released in any order; as long
// as one is held it stays what it was, and when none is, every chunk but those in use is back.
func TestHeldMessagesStayWhatTheyAre(t *testing.T) {
	reused := 0
	rapid.Check(t, func(draw *rapid.T) {
		var pool shelf
		arenas := []*Arena{{Pool: &pool}, {Pool: &pool}}
		for _, a := range arenas {
			a.size = chunkSize // a connection that has published much
		}
		type held struct {
			message Message
			parts   parts
			holds   int
		}
		var all []held
		made := make(map[*Chunk]bool)
		count := byte(0)
		for range rapid.IntRange(1, 400).Draw(draw, "steps") {
			if rapid.Bool().Draw(draw, "publish") || len(all) == 0 {
				count++
				size := rapid.SampledFrom([]int{0, 16, 1000, SharedMax - 20, SharedMax}).
					Draw(draw, "size")
				p := parts{filled(3, count), filled(5, count), transient, filled(size, count)}
				h := held{p.build(t, rapid.SampledFrom(arenas).Draw(draw, "arena")), p, 1}
				more := rapid.IntRange(0, 3).Draw(draw, "more")
				h.message.Hold(more)
				h.holds += more
				if c := h.message.chunk; c != nil {
					made[c] = true
				}
				all = append(all, h)
				continue
			}
			i := rapid.IntRange(0, len(all)-1).Draw(draw, "which")
			all[i].parts.check(draw, &all[i].message)
			release(draw, &all[i].message)
			if all[i].holds--; all[i].holds == 0 {
				all = append(all[:i], all[i+1:]...)
			}
		}
		for i := range all {
			all[i].parts.check(draw, &all[i].message)
			for range all[i].holds {
				release(draw, &all[i].message)
			}
		}
		for _, a := range arenas {
			if a.next(1); a.chunk != nil {
				made[a.chunk] = true
			}
		}
		for _, c := range pool.chunks {
			delete(made, c)
		}
		if len(made) > len(arenas) {
			t.Errorf("%d chunks did not come back", len(made)-len(arenas))
		}
		reused += pool.put
	})
	if reused == 0 {
		t.Error("no chunk was ever given back")
	}
}

// release ends one hold, in one of the two ways there are.
func release(draw *rapid.T, m *Message) {
	if rapid.Bool().Draw(draw, "alone") {
		other := *m
		other.Release()
		return
	}
	var r Releases
	r.Add(m)
	r.Flush()
}

func TestReleasesOfOneChunkAreOne(t *testing.T) {
	var pool shelf
	a := Arena{Pool: &pool, size: chunkSize}
	p := parts{nil, letters(5), transient, letters(1000)}
	var r Releases
	for range 3 * chunkSize / 1000 {
		m := p.build(t, &a)
		r.Add(&m)
	}
	before := pool.put
	if r.Flush(); before < 1 || pool.put != before {
		t.Errorf("%d chunks given back, then %d; the last is in use", before, pool.put)
	}
	if a.next(1); pool.put != before+1 {
		t.Errorf("%d chunks given back in the end, want %d", pool.put, before+1)
	}
}

func TestOnlyFullSizeChunksAreReused(t *testing.T) {
	var pool shelf
	a := Arena{Pool: &pool}
	p := parts{nil, letters(5), transient, letters(16)}
	m := p.build(t, &a)
	if m.Beside(&m) {
		t.Error("the first chunk of a connection, which is small, would be reused")
	}
	m.Hold(1)
	m.Release() // which does nothing
	p.check(t, &m)
	big := parts{nil, letters(5), transient, letters(SharedMax)}
	if m := big.build(t, &a); m.Beside(&m) {
		t.Error("so would the memory of a large message")
	}
}
