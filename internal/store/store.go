// Package store keeps what must survive: a write-ahead log for messages, and a journal for
// definitions, in one data directory.
//
// Floor 3: it stands on disk and the standard library, and knows neither queues nor exchanges:
// a queue is a number, a message is bytes.
//
// The life of a Store is Open, RecoverDefinitions, RecoverMessages, Start, then everything else,
// Close:
//
//	s, err := store.Open(store.Options{Dir: dir})
//	err = s.RecoverDefinitions(func(record []byte) error { ... })
//	err = s.RecoverMessages(func(queues []QueueID, id LSN, message []byte) error { ... })
//	err = s.Start()
//	lsn := s.Publish(queues, properties, body) // lsn is the identity of the message
//	s.Notify(waiter, lsn)                      // waiter.Synced sends the confirm
//	s.Settle(queue, []store.LSN{lsn})          // acknowledged: it leaves the queue
//
// Publish, Settle and DeleteQueue append to a buffer. One goroutine writes and syncs it, and
// while it does, the next buffer fills: the slower the disk, the larger the groups, with no timer.
// What one goroutine does with two calls is in the log in that order, and a crash keeps the log
// up to some point: whoever finds the later record finds the earlier one.
//
// An error of a write or a sync is final. Failed is closed, every waiter gets the error, nothing
// is written any more: after a failed sync nobody knows what is on the disk.
//
// The files are described in docs/internals/log.md.
package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/warrenmq/warren/internal/disk"
)

// QueueID is the identity of a queue. The caller never uses one again for another queue.
type QueueID uint64

// LSN (log sequence number) is a position in the log, counted in bytes since the directory was
// made, with gaps; 0 is none. The position of the record that published a message is the message's
// identity, also after the record was copied elsewhere. None is used twice in a directory.
type LSN uint64

// lsnGap is left out at each start. It is more than a crash can take: what two buffers hold, each
// of BufferBytesMax or one larger record, and the copies in them. So a position that was given
// out, but never reached the disk, is not given out again.
const lsnGap = 1 << 33

// ErrClosed is the error of calls on a closed Store.
var ErrClosed = errors.New("store: closed")

const (
	// FileBytesDefault is the default of Options.FileBytesMax.
	FileBytesDefault = 64 << 20
	// BufferBytesDefault is the default of Options.BufferBytesMax.
	BufferBytesDefault = 8 << 20
	// BufferBytesLimit is the largest Options.BufferBytesMax.
	BufferBytesLimit = 1 << 30

	// compactBytesDefault is the size below which the definitions file is not rewritten.
	compactBytesDefault = 1 << 20
)

// Options configures a Store. The zero value of a field means its default.
type Options struct {
	// Dir is the data directory. It is made if it does not exist. Required.
	Dir string
	// FS is the file system; default disk.OS().
	FS disk.FS
	// FileBytesMax is the size at which a new log file begins; a file may be larger by what one
	// write added. Larger files mean fewer pauses and more disk held by one old message. Default
	// FileBytesDefault.
	FileBytesMax int64
	// BufferBytesMax is how much may wait for the disk, while as much again is being written.
	// When it is full, Publish waits: too small limits throughput, too large lets a slow disk
	// hide in memory. A larger message is taken when nothing else waits. Default
	// BufferBytesDefault, at most BufferBytesLimit.
	BufferBytesMax int
	// Logger gets what an operator should know; default: nobody.
	Logger *slog.Logger

	// For tests; their defaults are compactBytesDefault and copyStepDefault.
	compactBytesMin int64
	copyStepBytes   int64
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = disk.OS()
	}
	if o.FileBytesMax == 0 {
		o.FileBytesMax = FileBytesDefault
	}
	if o.BufferBytesMax == 0 {
		o.BufferBytesMax = BufferBytesDefault
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.compactBytesMin == 0 {
		o.compactBytesMin = compactBytesDefault
	}
	if o.copyStepBytes == 0 {
		o.copyStepBytes = copyStepDefault
	}
	return o
}

// Validate returns an error that names the first field with an impossible value.
func (o Options) Validate() error {
	switch {
	case o.Dir == "":
		return errors.New("store: no data directory is set")
	case o.FileBytesMax < 0:
		return fmt.Errorf("store: FileBytesMax is %d", o.FileBytesMax)
	case o.BufferBytesMax < 0 || o.BufferBytesMax > BufferBytesLimit:
		return fmt.Errorf("store: BufferBytesMax is %d, the limit is %d",
			o.BufferBytesMax, BufferBytesLimit)
	}
	return nil
}

// Store is an open data directory. After Start all methods may be called concurrently.
type Store struct {
	options   Options
	lock      io.Closer
	id        directoryID
	journal   *journal
	recovered recovered // until Start
	writer    writer    // belongs to the log goroutine
	failed    chan struct{}
	done      chan struct{} // closed when the log goroutine has ended; nil: there is none
	closeOnce sync.Once
	closeErr  error

	mu      sync.Mutex
	work    sync.Cond // the log goroutine waits for something to do
	space   sync.Cond // callers wait for room in front
	phase   phase
	err     error // final; or nil
	front   *batch
	last    LSN // position of the last record in front or before
	synced  LSN // everything before it is on stable storage
	waiters []waiting
	due     bool // waiters may have become due
	index   index
	files   files
	settled []LSN // scratch of Settle
	counts  counts
}

// phase is the stage of life of a Store.
type phase uint8

const (
	opened  phase = iota // recovering
	running              // between Start and Close
	closing              // what was taken before is still written
	closed
)

// Start ends recovery: it cuts off what a crash left of the last write, begins a fresh log file
// and starts the log goroutine. Messages and definitions can be written from then on.
func (s *Store) Start() error {
	if err := s.begin(); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go s.run()
	return nil
}

// begin is Start without the goroutine.
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
	before := s.recovered
	number, first := before.number+1, before.end+lsnGap
	if err := s.writer.begin(number, first, before.end); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recovered = recovered{}
	s.files.append(number, headerBytes)
	s.front, s.writer.spare = &batch{}, &batch{}
	s.front.reset(first, number)
	s.last, s.synced = first-1, first
	s.phase = running
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
	s.work.Signal()
	s.space.Broadcast()
	return s.err
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
	started := s.phase == running
	s.phase = closing
	s.work.Signal()
	s.space.Broadcast()
	s.mu.Unlock()
	switch {
	case !started:
		s.tellWaiters(true)
	case s.done != nil:
		<-s.done
	default:
		s.finish()
	}
	return errors.Join(s.Err(), s.writer.copier.close(), s.writer.close(), s.journal.shutdown(),
		s.lock.Close())
}

// Stats is a snapshot of what the store holds and has done since Start.
type Stats struct {
	Files            int    // of the log
	LogBytes         int64  // in these files, what is about to be written included
	LiveBytes        int64  // of these, records of unsettled messages
	Unsettled        int    // messages, counted once for each queue
	DefinitionsBytes int64  // size of the definitions file
	Synced           LSN    // everything up to it is on stable storage
	Last             LSN    // the last record taken
	Records          uint64 // taken
	Syncs            uint64 // of the log
	WrittenBytes     uint64 // to the log
	CopiedBytes      uint64 // of these, messages written again so that old files could go
	RemovedFiles     uint64 // log files deleted
}

type counts struct {
	records, syncs, written, copied, removed uint64
}

// Stats returns the figures now.
func (s *Store) Stats() Stats {
	definitions := s.journal.bytes()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Files:            len(s.files.list),
		LogBytes:         s.files.bytes,
		LiveBytes:        s.files.live,
		Unsettled:        s.index.count,
		DefinitionsBytes: definitions,
		Synced:           upTo(s.synced),
		Last:             s.last,
		Records:          s.counts.records,
		Syncs:            s.counts.syncs,
		WrittenBytes:     s.counts.written,
		CopiedBytes:      s.counts.copied,
		RemovedFiles:     s.counts.removed,
	}
}
