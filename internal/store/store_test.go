package store

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/warrenmq/warren/internal/disk"
)

func TestMessagesComeBackInOrderWithTheirQueues(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	a := s.Publish([]QueueID{1}, []byte("a"))
	b := s.Publish([]QueueID{3, 1, 2}, []byte("head "), []byte("body"))
	c := s.Publish([]QueueID{2}, nil)
	if !(0 < a && a < b && b < c) {
		t.Fatalf("identities %d, %d, %d", a, b, c)
	}
	d := s.Publish([]QueueID{1}, []byte("d"))
	s.Settle(1, []LSN{a, 4711, a})
	s.Settle(3, []LSN{b, d}) // d is not in queue 3
	must(t, s.Wait(d))
	must(t, s.Close())
	wantLines(t, recoverAll(t, options), "[1 2] head body", "[2] ", "[1] d")
}

func TestDeletedQueueLeavesNothing(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	for range 20 {
		s.Publish([]QueueID{1, 2}, []byte("x"))
	}
	s.Publish([]QueueID{2}, []byte("y"))
	must(t, s.Wait(s.DeleteQueue(2)))
	if st := s.Stats(); st.Unsettled != 20 {
		t.Fatalf("%d unsettled, want 20", st.Unsettled)
	}
	must(t, s.Wait(s.DeleteQueue(1)))
	before := s.Stats().Records
	must(t, s.Wait(s.DeleteQueue(3))) // unknown: nothing to write
	if st := s.Stats(); st.Records != before || st.Unsettled != 0 || st.LiveBytes != 0 {
		t.Fatalf("%+v", st)
	}
	must(t, s.Close())
	wantLines(t, recoverAll(t, options))
}

func TestMessageIsCopiedBeforePublishReturns(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	message := []byte("before")
	s.Publish([]QueueID{1}, message)
	copy(message, "after!")
	must(t, s.Close())
	wantLines(t, recoverAll(t, options), "[1] before")
}

func TestDirectoryHasOneStore(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	_, err := Open(options)
	if !errors.Is(err, disk.ErrLocked) || !strings.Contains(err.Error(), "/data is in use") {
		t.Fatalf("second store: %v", err)
	}
	must(t, s.Close())
	second, err := Open(options)
	must(t, err)
	must(t, second.Close()) // without Start
}

func TestOpenWorksOnTheRealFileSystem(t *testing.T) {
	options := Options{Dir: t.TempDir() + "/new/data", FileBytesMax: 64 << 10}
	s := open(t, options)
	must(t, s.Define(nil, []byte("queue")))
	body := bytes.Repeat([]byte("x"), 1000)
	var ids []LSN
	for i := range 500 {
		ids = append(ids, s.Publish([]QueueID{QueueID(i % 3)}, body))
	}
	s.Settle(0, ids)
	s.Settle(1, ids)
	must(t, s.Wait(s.Settle(2, ids[:450])))
	must(t, s.Close())
	if lines := recoverAll(t, options); len(lines) != 1+16 || lines[0] != "definition queue" {
		t.Fatalf("recovered %d lines: %v", len(lines), lines)
	}
}

func TestStoreWritesOnlyBetweenStartAndClose(t *testing.T) {
	s, err := Open(worldOptions(newDisk(t)))
	must(t, err)
	for name, call := range map[string]func(){
		"Publish": func() { s.Publish([]QueueID{1}) },
		"Settle":  func() { s.Settle(1, []LSN{1}) },
		"Define":  func() { _ = s.Define(nil) },
	} {
		if !panics(call) {
			t.Errorf("%s before Start did not panic", name)
		}
	}
	must(t, s.Start())
	if s.Start() == nil {
		t.Error("started twice")
	}
	id := s.Publish([]QueueID{1}, []byte("x"))
	must(t, s.Close())
	must(t, s.Close())
	if got := s.Publish([]QueueID{1}, []byte("y")); got != 0 {
		t.Errorf("published %d after Close", got)
	}
	if got := s.Settle(1, []LSN{id}); got != 0 {
		t.Errorf("settled %d after Close", got)
	}
	if err := s.Define(nil, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("defined after Close: %v", err)
	}
	if err := s.Wait(id); err != nil {
		t.Errorf("waiting for what Close wrote: %v", err)
	}
	if err := s.Wait(id + 1000); !errors.Is(err, ErrClosed) {
		t.Errorf("waiting for what will never be: %v", err)
	}
}

func panics(call func()) (did bool) {
	defer func() { did = recover() != nil }()
	call()
	return false
}

func TestLimitsAreRefused(t *testing.T) {
	s := open(t, worldOptions(newDisk(t)))
	pieces := slices.Repeat([][]byte{make([]byte, MessageBytesMax/512)}, 512)
	if !panics(func() { s.Publish([]QueueID{1}, append(pieces, []byte("x"))...) }) {
		t.Error("message over MessageBytesMax was taken")
	}
	if !panics(func() { s.Publish(make([]QueueID, FanOutMax+1)) }) {
		t.Error("more queues than FanOutMax were taken")
	}
	if err := s.Define(nil, make([]byte, DefinitionBytesMax+1)); err == nil || s.Err() != nil {
		t.Errorf("definition over DefinitionBytesMax: %v", err)
	}
	must(t, s.Define(nil, make([]byte, DefinitionBytesMax)))
	for _, o := range []Options{
		{}, {Dir: "/d", FileBytesMax: -1}, {Dir: "/d", BufferBytesMax: -1},
		{Dir: "/d", BufferBytesMax: BufferBytesLimit + 1},
	} {
		if _, err := Open(o); err == nil {
			t.Errorf("opened with %+v", o)
		}
	}
	if err := (Options{Dir: "/d", BufferBytesMax: BufferBytesLimit}).Validate(); err != nil {
		t.Errorf("largest buffer: %v", err)
	}
}

func TestLargeSettleIsSplit(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	var ids []LSN
	for range settleIDsMax + 1 {
		ids = append(ids, s.Publish([]QueueID{1}, []byte("x")))
	}
	before := s.Stats()
	must(t, s.Wait(s.Settle(1, ids)))
	after := s.Stats()
	if n := after.Records - before.Records - (after.CopiedBytes-before.CopiedBytes)/30; n != 2 {
		t.Errorf("%d settle records, want 2", n)
	}
	must(t, s.Close())
	wantLines(t, recoverAll(t, options))
}

func TestPublishWaitsWhileTheBufferIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		g.release(2) // what Start syncs
		options := worldOptions(g.fs(newDisk(t)))
		options.BufferBytesMax = 1000
		s := open(t, options)
		s.Publish([]QueueID{1}, make([]byte, 900))
		synctest.Wait()                            // the first buffer is on its way to the disk
		s.Publish([]QueueID{1}, make([]byte, 900)) // fills the second
		taken := make(chan LSN, 1)
		go func() { taken <- s.Publish([]QueueID{1}, make([]byte, 900)) }()
		synctest.Wait()
		if len(taken) > 0 {
			t.Error("published into a full buffer")
		}
		g.release(1000)
		must(t, s.Wait(<-taken))
	})
}

func TestMessageLargerThanTheBufferIsTaken(t *testing.T) {
	options := worldOptions(newDisk(t))
	options.BufferBytesMax = 1000
	s := open(t, options)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				s.Publish([]QueueID{1}, make([]byte, 5000))
			}
		})
	}
	all.Wait()
	must(t, s.Close())
	if n := len(recoverAll(t, options)); n != 40 {
		t.Fatalf("%d messages, want 40", n)
	}
}

func TestGroupCommitSharesTheSync(t *testing.T) {
	g := newGate()
	g.release(2)
	s := open(t, worldOptions(g.fs(newDisk(t))))
	s.Publish([]QueueID{1}, []byte("first"))
	for range 3 {
		<-g.begun
	}
	var last LSN
	for range 100 {
		last = s.Publish([]QueueID{1}, []byte("while the first is being synced"))
	}
	g.release(1000)
	must(t, s.Wait(last))
	if st := s.Stats(); st.Syncs != 2 || st.Records != 101 || st.Synced < last {
		t.Fatalf("%+v", st)
	}
}

func TestTornTailIsCutAndLogged(t *testing.T) {
	m := newDisk(t)
	s := open(t, worldOptions(m))
	must(t, s.Define(nil, []byte("d")))
	must(t, s.Wait(s.Publish([]QueueID{1}, []byte("safe"))))
	torn := m.Clone()
	appendTo(t, torn, logName(1), "torn write")
	appendTo(t, torn, definitionsName, "torn")
	var log bytes.Buffer
	options := worldOptions(torn)
	options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	wantLines(t, recoverAll(t, options), "definition d", "[1] safe")
	if log.Len() > 0 {
		t.Errorf("something changed before Start: %s", log.String())
	}
	must(t, open(t, options).Close())
	for _, want := range []string{"file=messages-00000001.log offset=96 bytes=10",
		"file=definitions.log offset=91 bytes=4"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("not logged: %s\nin %s", want, log.String())
		}
	}
	wantLines(t, recoverAll(t, options), "definition d", "[1] safe")
}

func appendTo(t *testing.T, fsys disk.FS, name, content string) {
	t.Helper()
	f, err := fsys.Open(worldDir+"/"+name, disk.Write)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	_, err = f.WriteAt([]byte(content), size)
	must(t, err)
	must(t, f.Close())
}

func TestErrorOfRecoveryFunctionEndsIt(t *testing.T) {
	options := worldOptions(newDisk(t))
	s := open(t, options)
	must(t, s.Define(nil, []byte("a"), []byte("b")))
	s.Publish([]QueueID{1}, []byte("c"))
	s.Publish([]QueueID{1}, []byte("d"))
	must(t, s.Close())
	s, err := Open(options)
	must(t, err)
	defer s.Close()
	calls := 0
	stop := func() error { calls++; return syscall.EINTR }
	if err := s.RecoverDefinitions(func([]byte) error { return stop() }); err != syscall.EINTR {
		t.Errorf("definitions: %v", err)
	}
	err = s.RecoverMessages(func([]QueueID, LSN, []byte) error { return stop() })
	if err != syscall.EINTR || calls != 2 {
		t.Errorf("messages: %v, %d calls", err, calls)
	}
}
