package amqp091

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

// TestPiecesAreTheBytesInOrder writes frames with bodies between them in random portions.
func TestPiecesAreTheBytesInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &frames{}
		var want []byte
		for n := range rapid.IntRange(0, 40).Draw(t, "parts") {
			part := bytes.Repeat([]byte{byte(n)}, rapid.IntRange(1, 50).Draw(t, "size"))
			want = append(want, part...)
			if rapid.Bool().Draw(t, "body") {
				f.refer(len(f.small), part)
			} else {
				f.small = append(f.small, part...)
			}
		}
		c := cursor{of: f}
		var got []byte
		for !c.done() {
			var vec [piecesMax][]byte
			all := bytes.Join(vec[:c.pieces(&vec)], nil)
			if len(all) == 0 {
				t.Fatal("nothing is to be written, and it is not done")
			}
			n := rapid.IntRange(1, len(all)).Draw(t, "written")
			got = append(got, all[:n]...)
			c.advance(n)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("wrote %v, want %v", got, want)
		}
		for i := range f.bodies {
			if f.bodies[i].piece != nil {
				t.Fatal("a body that was written is still held")
			}
		}
	})
}

// TestLargeFramesAreNotKept reaches outputKeep and referencesKeep.
func TestLargeFramesAreNotKept(t *testing.T) {
	for name, f := range map[string]*frames{
		"bytes":  {small: make([]byte, 1, outputKeep+1)},
		"bodies": {bodies: make([]reference, 1, referencesKeep+1)},
	} {
		f.recycle()
		if len(f.small)+len(f.bodies) == 0 {
			t.Errorf("too many %s were kept", name)
		}
	}
}

// TestABurstTakesBuffersThatAreKept reaches outputBlock and referencesMax: with many messages, with
// many that are referred to, and with one of many frames.
func TestABurstTakesBuffersThatAreKept(t *testing.T) {
	for name, c := range map[string]struct{ count, size int }{
		"small":        {1000, 1 << 10},
		"large":        {2 * referencesMax, referMin},
		"small frames": {1, 4 << 20},
	} {
		var arena message.Arena
		var builder message.Builder
		if err := builder.Begin(&arena, nil, nil, nil, uint64(c.size)); err != nil {
			t.Fatal(err)
		}
		builder.Append(bytes.Repeat([]byte{7}, c.size))
		m, frameMax := builder.Done(), uint32(16<<10)
		if c.count == 1 {
			frameMax = amqp.FrameMinSize
		}
		var o output
		var want, got []byte
		b := o.begin()
		for range c.count {
			b = o.content(o.roll(b), 1, &m, frameMax)
			want = amqp.AppendContent(want, 1, m.Properties(), m.Body(), frameMax)
		}
		if !o.end(b) || int(o.pending.Load()) != len(want) {
			t.Errorf("%s: %d bytes wait, want %d", name, o.pending.Load(), len(want))
		}
		buffers := 0
		for f := o.next(); f != nil; f = o.next() {
			buffers++
			if cap(f.small) > outputKeep || cap(f.bodies) > referencesKeep {
				t.Errorf("%s: a buffer of %d bytes, %d bodies", name, cap(f.small), cap(f.bodies))
			}
			var vec [piecesMax][]byte
			for c := (cursor{of: f}); !c.done(); {
				piece := bytes.Join(vec[:c.pieces(&vec)], nil)
				got = append(got, piece...)
				c.advance(len(piece))
			}
		}
		if buffers < 2 || !bytes.Equal(got, want) {
			t.Errorf("%s: %d buffers, %d bytes, want %d", name, buffers, len(got), len(want))
		}
	}
}
