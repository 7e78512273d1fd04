package message

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// TestBodyWrittenInPlace fills a body in random portions, some of them written straight into the
// room of the builder.
func TestBodyWrittenInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Arena
		var b Builder
		body := letters(rapid.IntRange(1, 300_000).Draw(t, "size"))
		err := b.Begin(&a, []byte("x"), []byte("key"), []byte{0, 0}, uint64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		for rest := body; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "portion")
			if rapid.Bool().Draw(t, "in place") {
				room := b.Room(n)
				if len(room) == 0 || len(room) > n {
					t.Fatalf("room for %d bytes where %d were asked for", len(room), n)
				}
				n = copy(room, rest)
				b.Extend(n)
			} else {
				b.Append(rest[:n])
			}
			if !bytes.Equal(b.Last(n), rest[:n]) {
				t.Fatal("the last bytes are not those that were added")
			}
			rest = rest[n:]
			if b.Missing() != len(rest) {
				t.Fatalf("%d bytes are missing, want %d", b.Missing(), len(rest))
			}
		}
		m := b.Done()
		if !bytes.Equal(m.Body(), body) || string(m.RoutingKey()) != "key" {
			t.Fatal("the message is not what was put into it")
		}
	})
}
