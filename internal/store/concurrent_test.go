package store

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	concurrentUsers = 4
	concurrentSteps = 150 // at most 255: a message is one byte
)

// user publishes to a queue of his own and settles from it, as one goroutine.
type user struct {
	queue QueueID

	mu     sync.Mutex
	steps  [][]byte // which messages were unsettled after each step; the first before any
	stable int      // steps that were waited for
}

func (u *user) note(unsettled []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.steps = append(u.steps, slices.Clone(unsettled))
}

func (u *user) run(t *testing.T, s *Store) {
	var unsettled []byte
	var ids []LSN
	for i := range byte(concurrentSteps) {
		var lsn LSN
		if i%3 < 2 { // noted first: a crash may find the step before the call returns
			unsettled = append(unsettled, i)
			u.note(unsettled)
			lsn = s.Publish([]QueueID{u.queue}, []byte{i})
			ids = append(ids, lsn)
		} else {
			unsettled = unsettled[1:]
			u.note(unsettled)
			lsn = s.Settle(u.queue, ids[:1])
			ids = ids[1:]
		}
		if i%7 == 0 {
			if err := s.Wait(lsn); err != nil {
				t.Error(err)
			}
			u.mu.Lock()
			u.stable = len(u.steps) - 1
			u.mu.Unlock()
		}
		if i%50 == 0 {
			if err := s.Define(nil, []byte("x")); err != nil {
				t.Error(err)
			}
		}
	}
}

// check says whether what was recovered of the queue is what was there after some step.
func (u *user) check(stable int, got []byte) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, step := range u.steps[stable:] {
		if bytes.Equal(step, got) {
			return nil
		}
	}
	return fmt.Errorf("queue %d: recovered %v, which was not there after any of the steps from %d",
		u.queue, got, stable)
}

func TestConcurrentUsersKeepWhatTheyWaitedFor(t *testing.T) {
	m := newDisk(t)
	users := make([]*user, concurrentUsers)
	for i := range users {
		users[i] = &user{queue: QueueID(i), steps: [][]byte{nil}}
	}
	crashes := 0
	options := worldOptions(crashing(t, m, users, &crashes))
	options.BufferBytesMax = 600 // somebody always waits for room
	s := open(t, options)
	var all sync.WaitGroup
	for _, u := range users {
		all.Go(func() { u.run(t, s) })
	}
	all.Wait()
	must(t, s.Close())
	checkUsers(t, m, users, 0)
	t.Logf("%d crash points", crashes)
}

// crashing crashes the file system before each sync, and checks every user.
func crashing(t *testing.T, m *disk.Memory, users []*user, crashes *int) disk.FS {
	var mu sync.Mutex
	return disk.Faulty(m, func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync || c.Op == disk.OpSyncDir {
			mu.Lock()
			defer mu.Unlock()
			*crashes++
			checkUsers(t, m, users, uint64(*crashes))
		}
		return disk.Fault{}
	})
}

func checkUsers(t *testing.T, m *disk.Memory, users []*user, seed uint64) {
	stable := make([]int, len(users)) // before the crash
	for i, u := range users {
		u.mu.Lock()
		stable[i] = u.stable
		u.mu.Unlock()
	}
	s, err := Open(worldOptions(m.Crash(seed)))
	if err != nil {
		t.Error(err)
		return
	}
	defer s.Close()
	got := make([][]byte, len(users))
	err = s.RecoverMessages(func(queues []QueueID, _ LSN, message []byte) error {
		got[queues[0]] = append(got[queues[0]], message...)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for i, u := range users {
		if err := u.check(stable[i], got[i]); err != nil {
			t.Errorf("crash %d: %v", seed, err)
		}
	}
}
