package backup

import (
	"bytes"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// about is what backups of these tests say.
func about() About { return About{Warren: "1.2.3", Node: "warren@test"} }

// open opens a store that is closed with the test.
func open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(o)
	must(t, err)
	must(t, s.Start())
	t.Cleanup(func() { _ = s.Close() }) // an error is the business of the test
	return s
}

// small is a backup of a definition and three messages, one of them settled.
func small(t testing.TB) []byte {
	t.Helper()
	s := open(t, store.Options{Dir: "/data", FS: disk.NewMemory(), FileBytesMax: 64 << 10})
	must(t, s.Define(nil, []byte("definition")))
	q := s.OpenQueue(7)
	var n [1]uint64
	for range 3 {
		must(t, s.Wait(s.Publish([]*store.Queue{q}, n[:], []byte("message"))))
	}
	must(t, s.Wait(s.Settle(q, []store.Range{{First: 1, Last: 1}})))
	var b bytes.Buffer
	must(t, Write(t.Context(), &b, s, about()))
	must(t, s.Close())
	return b.Bytes()
}

// numbers returns what a queue has in the store of a directory.
func numbers(s *store.Store, id store.QueueID) (list []uint64, err error) {
	q := s.OpenQueue(id)
	const last = 1 << 40
	for next := uint64(1); next <= last; {
		var messages []store.Stored
		if messages, next, err = s.Load(q, next, last, 1<<20, nil); err != nil {
			return nil, err
		}
		for _, m := range messages {
			if string(m.Message) == "" {
				return nil, errors.New("an empty message")
			}
			list = append(list, m.Number)
		}
	}
	return list, nil
}
