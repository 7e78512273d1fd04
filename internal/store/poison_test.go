//go:build poison

package store

import (
	"bytes"
	"testing"

	"github.com/warrenmq/warren/internal/poison"
)

// TestWhatIsKeptAfterItsReleaseIsOverwritten makes the mistakes that the tag poison is to show.
func TestWhatIsKeptAfterItsReleaseIsOverwritten(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	q := s.OpenQueue(1)
	s.mu.Lock()
	group := s.front
	s.mu.Unlock()
	_, lsn := put(s, q, "logged")
	must(t, s.Wait(lsn))
	must(t, s.Spill(q, []Stored{{Number: q.Number(), Message: []byte("spilled")}}))
	s.mu.Lock()
	x := s.files.logs[0]
	x.pin()
	s.mu.Unlock()
	defer s.unpin(x)
	sc, done, err := s.openFile(x)
	must(t, err)
	sc.size = 4096
	window, err := sc.bytes(0, 4096)
	must(t, err)
	done()
	kept := map[string][]byte{
		"a group that was synced": group.buf, "a spill": s.spiller.buf, "a window": window,
	}
	for what, b := range kept {
		if !bytes.Equal(b, bytes.Repeat([]byte{poison.Byte}, len(b))) || len(b) == 0 {
			t.Errorf("%s: %q can still be used", what, b)
		}
	}
}
