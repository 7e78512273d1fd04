package message

import (
	"testing"

	"pgregory.net/rapid"
)

// Two channels of one connection receive messages at the same time: header, piece and piece of
// one between those of the other. No message may ever see another's bytes.
func TestMessagesOfOneArenaDoNotOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Arena
		type channel struct {
			builder Builder
			parts   parts
			rest    []byte
			busy    bool
		}
		var channels [2]channel
		type finished struct {
			message Message
			parts   parts
		}
		var all []finished
		count := byte(0)
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			c := &channels[rapid.IntRange(0, 1).Draw(t, "channel")]
			switch {
			case !c.busy:
				count++
				sizes := rapid.SampledFrom([]int{0, 1, 16, 16, 300, SharedMax - 20, SharedMax})
				c.parts = parts{filled(3, count), filled(5, count), transient,
					filled(sizes.Draw(t, "size"), count)}
				p := &c.parts
				err := c.builder.Begin(&a, p.exchange, p.key, p.properties, uint64(len(p.body)))
				if err != nil {
					t.Fatal(err)
				}
				c.rest, c.busy = p.body, true
			case len(c.rest) > 0:
				n := rapid.IntRange(1, len(c.rest)).Draw(t, "piece")
				c.builder.Append(c.rest[:n])
				c.rest = c.rest[n:]
			default:
				all = append(all, finished{c.builder.Done(), c.parts})
				c.busy = false
			}
		}
		for i := range all {
			all[i].parts.check(t, &all[i].message)
		}
	})
}

func filled(n int, with byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = with
	}
	return b
}

// Who appends to a whole message gets a copy: its room ends where the next one begins.
func TestMessageHasNoRoomBehindIt(t *testing.T) {
	var a Arena
	p := parts{nil, letters(5), transient, letters(16)}
	first, second := p.build(t, &a), p.build(t, &a)
	_ = append(first.Bytes(), "overwritten"...)
	_ = append(first.Body(), "overwritten"...)
	p.check(t, &second)
}

func TestSmallMessagesHardlyAllocate(t *testing.T) {
	const messages, most = 10_000, 0.01
	var a Arena
	var b Builder
	key, body := []byte("queue"), letters(16)
	sum := 0
	allocs := testing.AllocsPerRun(5, func() {
		for range messages {
			if err := b.Begin(&a, nil, key, transient, uint64(len(body))); err != nil {
				t.Fatal(err)
			}
			b.Append(body)
			m := b.Done()
			sum += m.Size()
		}
	})
	if per := allocs / messages; per >= most {
		t.Errorf("%v allocations per message, want less than %v", per, most)
	}
	if sum == 0 {
		t.Error("nothing was built")
	}
}

func TestReadingAMessageAllocatesNothing(t *testing.T) {
	var a Arena
	m := parts{letters(3), letters(5), mode2, letters(16)}.build(t, &a)
	durable := encode(&m)
	sum := 0
	allocs := testing.AllocsPerRun(100, func() {
		d, _, err := Decode(durable, 7)
		if err != nil || !d.Persistent() {
			t.Fatal("not what it was: ", err)
		}
		sum += len(d.Exchange()) + len(d.RoutingKey()) + len(d.Properties()) + len(d.Body())
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkBuilder(b *testing.B) {
	for name, size := range map[string]int{"16B": 16, "1KiB": 1 << 10, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			var a Arena
			var builder Builder
			key, body := []byte("queue"), letters(size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for range b.N {
				if err := builder.Begin(&a, nil, key, transient, uint64(size)); err != nil {
					b.Fatal(err)
				}
				builder.Append(body)
				m := builder.Done()
				if m.Size() < size {
					b.Fatal(m.Size())
				}
			}
		})
	}
}
