package amqp091

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
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
