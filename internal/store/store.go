// Package store keeps what must survive: a write-ahead log and segments for messages, and journals
// for definitions and for what the segments hold, in one data directory. It also keeps, on disk but
// not safe, what does not fit into memory.
//
// Floor 3: it stands on disk, its index and the standard library, and knows neither queues nor
// exchanges: a queue is a number, a message is bytes with a number in its queue.
//
// The life of a Store is Open, RecoverDefinitions, RecoverMessages, Start, then everything else,
// Close:
//
//	s, err := store.Open(store.Options{Dir: dir})
//	err = s.RecoverDefinitions(func(record []byte) error { ... })
//	err = s.RecoverMessages(func(q store.QueueID, extents []store.Extent) error { ... })
//	err = s.Start()
//	q := s.OpenQueue(17, true)
//	lsn := s.Publish([]*store.Queue{q}, numbers, message) // numbers[0]: that of the message
//	s.Notify(waiter, lsn)                                 // waiter.Synced sends the confirm
//	messages, next, err := s.Load(q, 1, 1000, 1<<20, nil) // reads messages back
//	s.Settle(q, []store.Range{{First: n, Last: n}})       // acknowledged: it leaves the queue
//
// Publish, Settle and DeleteQueue append to a buffer. One goroutine writes and syncs it, and
// while it does, the next buffer fills: the slower the disk, the larger the groups, with no timer.
// What one goroutine does with two calls is in the log in that order, and a crash keeps the log
// up to some point: whoever finds the later record finds the earlier one. A second goroutine, the
// keeper, gives room back: it recycles log files, and moves what lives long into segments.
//
// Memory does not grow with the number of messages, only with that of runs of them in files.
//
// An error of a write or a sync is final. Failed is closed, every waiter gets the error, nothing
// is written any more: after a failed sync nobody knows what is on the disk. A full disk is no
// such error: what needs room waits for it (see Options.Full).
//
// The files are described in docs/internals/log.md.
package store

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/store/index"
)

// QueueID is the identity of a queue, at least 1. The caller never uses one again for another
// queue.
type QueueID uint64

// LSN (log sequence number) names a group of records that goes to the disk as one; 0 is none.
// Groups are counted from the start of the store. See Notify.
type LSN uint64

// Range is a run of message numbers of a queue, both ends included.
type Range struct{ First, Last uint64 }

// ErrClosed is the error of calls on a closed Store.
var ErrClosed = errors.New("store: closed")

// FullError says that the disk is full. Nothing is lost by it; it passes when there is room.
type FullError struct{ cause error }

// Error says what needed the room.
func (e *FullError) Error() string { return e.cause.Error() }

// Unwrap returns the error of the file system.
func (e *FullError) Unwrap() error { return e.cause }

// Store is an open data directory. After Start all methods may be called concurrently.
type Store struct {
	options     Options
	lock        io.Closer
	id          directoryID
	seed        uint32 // of checksums
	definitions *journal
	manifest    *journal
	recovered   recovered // until Start
	writer      writer    // belongs to the log goroutine
	spiller     spiller
	windows     sync.Pool // of *[]byte: of scanners
	failed      chan struct{}
	running     sync.WaitGroup // the goroutines
	lazyTimer   *time.Timer
	telling     sync.Mutex // one at a time calls Options.Full; taken before mu
	toldFull    bool       // what it was told last; under telling
	closeOnce   sync.Once
	closeErr    error

	mu       sync.Mutex
	work     sync.Cond // the log goroutine waits for something to do
	chores   sync.Cond // the keeper waits for something to do
	space    sync.Cond // callers wait for room in front
	unpinned sync.Cond // the keeper waits for readers
	phase    phase
	refusing bool  // nobody waits for room on the disk any more
	alone    bool  // there are no goroutines: a test does their turns
	err      error // final; or nil
	front    *batch
	last     LSN // the group of the last record
	synced   LSN // every group up to it is on stable storage
	waiters  []waiting
	due      bool // waiters may have become due
	lazy     bool // lazyTimer runs
	index    *index.Index
	queues   map[QueueID]*Queue
	files    files
	keeper   keeper
	settled  []Range            // scratch of Settle
	emptied  []index.FileID     // scratch of Settle
	damaged  map[QueueID]string // why these queues are not complete
	known    place              // damage of the log before it is in the manifest, or accepted
	forgiven []editDamage       // queues that were deleted, for the manifest
	counts   counts
}

// phase is the stage of life of a Store.
type phase uint8

const (
	opened  phase = iota // recovering
	started              // between Start and Close
	closing              // what was taken before is still written
	closed
)

// Start ends recovery: it makes safe what was found, begins a fresh log file and starts the
// goroutines. Messages and definitions can be written from then on.
func (s *Store) Start() error {
	if err := s.begin(); err != nil {
		return err
	}
	s.mu.Lock()
	s.alone = false
	s.mu.Unlock()
	s.running.Go(s.run)
	s.running.Go(s.runKeeper)
	return nil
}

// begin is Start without the goroutines.
func (s *Store) begin() error {
	s.mu.Lock()
	phase := s.phase
	s.mu.Unlock()
	if phase != opened {
		return errors.New("store: Start must be called once, after Open")
	}
	if err := s.repair(); err != nil {
		return err
	}
	s.mu.Lock()
	f := s.files.addLog(s.files.newNumber())
	s.index.AddFile(index.FileID(f.number))
	s.mu.Unlock()
	if err := s.writer.begin(f.number, false); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front, s.writer.spare = &batch{}, &batch{}
	s.front.reset(1, f.number, dataStart, s.recovered.lastGroup, s.recovered.touched)
	s.recovered = recovered{}
	s.phase, s.alone = started, true
	return nil
}

// Failed returns a chan that is closed when writing or syncing has failed; Err then has the
// reason. The process should say so and exit: nothing can be confirmed any more.
func (s *Store) Failed() <-chan struct{} { return s.failed }

// Err returns the error that made the store stop for good, or nil.
func (s *Store) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail makes err final, unless there was one before. It returns the one that is.
func (s *Store) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		close(s.failed)
	}
	s.due = true
	s.wakeAll()
	return s.err
}

// wakeAll lets everybody look again; mu is held.
func (s *Store) wakeAll() {
	s.work.Signal()
	s.chores.Signal()
	s.space.Broadcast()
	s.unpinned.Broadcast()
	s.writer.wake()
}

// Close writes and syncs what was published before, tells every waiter, and gives the directory
// free. It returns the final error if there was one: then not everything is on disk. What is
// published during or after Close is lost; the caller stops its publishers first. Further calls
// return the same.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	s.mu.Lock()
	running, alone := s.phase == started, s.alone
	s.phase = closing
	s.wakeAll()
	s.mu.Unlock()
	s.lazyTimer.Stop()
	s.running.Wait()
	switch {
	case !running:
		s.tellWaiters(true)
	case alone:
		s.finish()
	}
	return errors.Join(s.Err(), s.writer.close(), s.spiller.close(), s.manifest.shutdown(),
		s.definitions.shutdown(), s.lock.Close())
}
