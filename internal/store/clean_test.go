package store

import (
	"fmt"
	"strings"
	"testing"
)

func TestOneOldMessageDoesNotHoldTheDisk(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	old := s.Publish([]QueueID{1, 2}, []byte("old"))
	s.Settle(2, []LSN{old})
	filesMax := 0
	for i := range 500 {
		id := s.Publish([]QueueID{3}, []byte(strings.Repeat("x", 1000)))
		must(t, s.Wait(s.Settle(3, []LSN{id})))
		if i == 250 { // also after the identity has outlived several files
			must(t, s.Close())
			s = open(t, options)
		}
		filesMax = max(filesMax, s.Stats().Files)
	}
	st := s.Stats()
	t.Logf("%d files at most; %+v", filesMax, st)
	if filesMax > copyFilesMin+2 {
		t.Errorf("%d files held by one message", filesMax)
	}
	if st.CopiedBytes == 0 || st.RemovedFiles < 50 || st.Unsettled != 1 {
		t.Errorf("%+v", st)
	}
	must(t, s.Close())
	s, err := Open(options)
	must(t, err)
	defer s.Close()
	calls := 0
	must(t, s.RecoverMessages(func(queues []QueueID, id LSN, message []byte) error {
		if calls++; fmt.Sprint(queues) != "[1]" || id != old || string(message) != "old" {
			t.Errorf("recovered %v %d %q, published as %d", queues, id, message, old)
		}
		return nil
	}))
	if calls != 1 {
		t.Errorf("%d messages", calls)
	}
}

func TestLiveLogIsNotCopied(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	for range 100 {
		must(t, s.Wait(s.Publish([]QueueID{1}, make([]byte, 1000))))
	}
	st := s.Stats()
	if st.CopiedBytes != 0 || st.RemovedFiles != 0 || st.LiveBytes < st.LogBytes*9/10 {
		t.Errorf("%+v", st)
	}
}

func TestEmptyLogKeepsOneFile(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	var ids []LSN
	for range 100 {
		ids = append(ids, s.Publish([]QueueID{1, 2}, make([]byte, 1000)))
		must(t, s.Wait(ids[len(ids)-1]))
	}
	s.Settle(1, ids)
	must(t, s.Wait(s.DeleteQueue(2)))
	for s.Stats().Files > 2 { // one file goes at a time; one may be about to begin
		must(t, s.Wait(s.DeleteQueue(s.probe(t))))
	}
	if st := s.Stats(); st.LiveBytes != 0 || st.Unsettled != 0 {
		t.Errorf("%+v", st)
	}
}

// probe makes a queue with a message, for something to do.
func (s *Store) probe(t *testing.T) QueueID {
	t.Helper()
	must(t, s.Wait(s.Publish([]QueueID{99}, []byte("x"))))
	return 99
}

func TestFanOutIsLiveUntilTheLastQueueIsDone(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	queues := []QueueID{1, 2, 3, 4, 5}
	id := s.Publish(queues, make([]byte, 1000))
	for i, q := range queues {
		if st := s.Stats(); st.Unsettled != 5-i || st.LiveBytes < int64(1000*(5-i)/5) {
			t.Errorf("before queue %d: %+v", q, st)
		}
		s.Settle(q, []LSN{id})
	}
	if st := s.Stats(); st.Unsettled != 0 || st.LiveBytes != 0 {
		t.Errorf("at the end: %+v", st)
	}
}
