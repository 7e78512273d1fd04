//go:build poison

package amqp091

import (
	"bytes"
	"net"
	"testing"

	"github.com/warrenmq/warren/internal/poison"
)

// TestWhatIsKeptAfterItsReleaseIsOverwritten makes the mistakes that the tag poison is to show.
func TestWhatIsKeptAfterItsReleaseIsOverwritten(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	in := newInput(server, func() {})
	read := func(text string) []byte {
		go func() { _, _ = client.Write([]byte(text)) }()
		b, err := in.fill(0)
		if err != nil || string(b) != text {
			t.Fatalf("read %q, %v", b, err)
		}
		in.consume(len(b))
		return b
	}
	kept := map[string][]byte{"input read again": read("longer first")}
	read("second")
	kept["input read again"] = kept["input read again"][len("second"):]
	kept["input parked"] = read("third")
	in.park()
	f := framesPool.Get().(*frames)
	f.small = append(f.small, "frame"...)
	kept["output written"] = f.small
	f.recycle()
	for what, b := range kept {
		if !bytes.Equal(b, bytes.Repeat([]byte{poison.Byte}, len(b))) {
			t.Errorf("%s: %q can still be used", what, b)
		}
	}
}
