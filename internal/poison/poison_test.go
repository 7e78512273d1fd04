package poison_test

import (
	"bytes"
	"testing"

	"github.com/warrenmq/warren/internal/poison"
)

// TestBytesAreOverwrittenWithTheTagOnly and up to the capacity, since that is what is reused.
func TestBytesAreOverwrittenWithTheTagOnly(t *testing.T) {
	b := bytes.Repeat([]byte{7}, 100)
	poison.Bytes(b[10:20:90])
	want := bytes.Repeat([]byte{7}, 100)
	if poison.On {
		copy(want[10:90], bytes.Repeat([]byte{poison.Byte}, 80))
	}
	if !bytes.Equal(b, want) {
		t.Errorf("got %x", b)
	}
}
