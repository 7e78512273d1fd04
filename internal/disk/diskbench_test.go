package disk_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/disk"
)

// BenchmarkDisk measures what a commit (one write, one sync) costs on the real file system, in the
// ways a log can be laid out. docs/decisions/disk-costs.md has a table of it.
//
//	TMPDIR=/var/tmp go test -run '^$' -bench Disk ./internal/disk
//
// The files are in the directory for temporary files, which must be on the disk in question: a
// tmpfs answers at once. A metric direct of 0 says that the system refused O_DIRECT, and that the
// line is about a buffered file.
func BenchmarkDisk(b *testing.B) {
	layouts := []struct {
		name string
		mode disk.Mode
		file func(l *logFile) // makes the next file to write
	}{
		{"appended", 0, (*logFile).create},
		{"appended-direct", disk.Direct, (*logFile).create},
		{"fallocated-direct", disk.Direct, (*logFile).fallocate},
		{"recycled", 0, (*logFile).zeroFill},
		{"recycled-direct", disk.Direct, (*logFile).zeroFill},
	}
	for _, layout := range layouts {
		for _, kb := range []int{4, 64, 256, 1024} {
			b.Run(fmt.Sprintf("commit/%s/%dKB", layout.name, kb), func(b *testing.B) {
				l := &logFile{b: b, dir: b.TempDir(), mode: layout.mode, next: layout.file}
				defer l.close()
				l.measure(filled(kb<<10, 'x'), func() {})
			})
		}
	}
	b.Run("zerofill", benchmarkZeroFill)
	b.Run("beside", benchmarkBeside)
}

const (
	logFileBytes = 64 << 20
	fillBytes    = 1 << 20 // written at once when filling
)

// logFile writes commits to one file after another.
type logFile struct {
	b      *testing.B
	dir    string
	mode   disk.Mode
	next   func(*logFile)
	file   disk.File
	number int
	offset int64
}

// check ends the goroutine on an error. If it is the one beside the benchmark, the benchmark goes
// on and fails at its end.
func (l *logFile) check(err error) {
	if err != nil {
		l.b.Fatal(err)
	}
}

func (l *logFile) close() {
	if l.file != nil {
		l.check(l.file.Close())
		l.check(disk.OS().Remove(l.name()))
		l.file = nil
	}
}

func (l *logFile) name() string { return filepath.Join(l.dir, fmt.Sprint("log-", l.number)) }

func (l *logFile) create() {
	l.close()
	l.number++
	var err error
	l.file, err = disk.OS().Open(l.name(), disk.Create|l.mode)
	l.check(err)
	l.check(l.file.Sync())
	l.check(disk.OS().SyncDir(l.dir))
}

// zeroFill makes a file at first, and then begins the same one again.
func (l *logFile) zeroFill() {
	if l.file != nil {
		return
	}
	l.create()
	zeros := disk.Aligned(fillBytes)
	for at := int64(0); at < logFileBytes; at += fillBytes {
		_, err := l.file.WriteAt(zeros, at)
		l.check(err)
	}
	l.check(l.file.Sync())
}

// commit writes and syncs, and returns how long that took.
func (l *logFile) commit(data []byte) time.Duration {
	if l.file == nil || l.offset+int64(len(data)) > logFileBytes {
		l.b.StopTimer()
		l.next(l)
		l.offset = 0
		l.b.StartTimer()
	}
	start := time.Now()
	_, err := l.file.WriteAt(data, l.offset)
	l.check(err)
	l.check(l.file.Sync())
	l.offset += int64(len(data))
	return time.Since(start)
}

// measure commits as often as the benchmark wants, and calls after behind each commit.
func (l *logFile) measure(data []byte, after func()) {
	b := l.b
	l.commit(data) // makes the file, if there is none
	var took []time.Duration
	for b.Loop() {
		took = append(took, l.commit(data))
		after()
	}
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	b.ReportMetric(micros(took[len(took)/2]), "p50-us")
	b.ReportMetric(micros(took[len(took)*99/100]), "p99-us")
	b.ReportMetric(float64(len(took)*len(data))/1e6/sum.Seconds(), "MB/s")
	b.ReportMetric(0, "ns/op") // it counts the making of files
	if l.mode == disk.Direct {
		b.ReportMetric(map[bool]float64{true: 1}[l.file.Direct()], "direct")
	}
}

// benchmarkZeroFill makes whole files of logFileBytes, synced once at the end.
func benchmarkZeroFill(b *testing.B) {
	for name, mode := range map[string]disk.Mode{"buffered": 0, "direct": disk.Direct} {
		b.Run(name, func(b *testing.B) {
			l := &logFile{b: b, dir: b.TempDir(), mode: mode}
			for b.Loop() {
				l.zeroFill()
				b.StopTimer()
				l.close()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.N)*logFileBytes/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

// beside is how the next file is pre-written while commits go to another.
type beside struct {
	name   string
	mode   disk.Mode
	file   func(l *logFile)
	paced  bool // a chunk for each commit, not as fast as it goes
	synced bool // small chunks, a sync after each: what is the matter is not the bytes
}

// benchmarkBeside measures commits to a recycled direct file while the next file is pre-written.
func benchmarkBeside(b *testing.B) {
	for _, beside := range []beside{
		{name: "nothing"},
		{name: "growing", file: (*logFile).create},
		{name: "growing-direct", mode: disk.Direct, file: (*logFile).create},
		{name: "growing-direct-paced", mode: disk.Direct, file: (*logFile).create, paced: true},
		{name: "fallocated-direct-paced", mode: disk.Direct, file: (*logFile).fallocate,
			paced: true},
		{name: "rewriting-direct", mode: disk.Direct, file: (*logFile).zeroFill},
		{name: "rewriting-direct-paced", mode: disk.Direct, file: (*logFile).zeroFill,
			paced: true},
		{name: "growing-synced", mode: disk.Direct, file: (*logFile).create, synced: true},
		{name: "rewriting-synced", mode: disk.Direct, file: (*logFile).zeroFill, synced: true},
	} {
		b.Run(beside.name, func(b *testing.B) {
			l := &logFile{b: b, dir: b.TempDir(), mode: disk.Direct, next: (*logFile).zeroFill}
			defer l.close()
			if beside.file == nil {
				l.measure(filled(64<<10, 'x'), func() {})
				return
			}
			next := &logFile{b: b, dir: b.TempDir(), mode: beside.mode, next: beside.file}
			defer next.close()
			l.commit(disk.Aligned(disk.BlockBytes)) // makes the file
			stop, tick := next.fillBeside(beside)
			l.measure(filled(64<<10, 'x'), tick)
			b.ReportMetric(float64(stop())/1e6/b.Elapsed().Seconds(), "beside-MB/s")
		})
	}
}

// fillBeside writes chunks to one file after another in a goroutine, each file synced at its end.
// tick lets it write a chunk, if it is paced. stop waits for the goroutine and returns how many
// bytes it wrote.
func (l *logFile) fillBeside(how beside) (stop func() int64, tick func()) {
	zeros := disk.Aligned(64 << 10)
	if how.synced {
		zeros = disk.Aligned(disk.BlockBytes)
	}
	written := int64(0)
	done, ticks := make(chan struct{}), make(chan struct{}, 1)
	if !how.paced {
		close(ticks)
	}
	next := func() bool {
		select {
		case <-done:
			return false
		case <-ticks:
		}
		select {
		case <-done: // has precedence
			return false
		default:
			return true
		}
	}
	l.next(l)
	var group sync.WaitGroup
	group.Go(func() {
		for at := int64(0); next(); at += int64(len(zeros)) {
			if at == logFileBytes {
				l.check(l.file.Sync())
				l.next(l)
				at = 0
			}
			_, err := l.file.WriteAt(zeros, at)
			l.check(err)
			if how.synced {
				l.check(l.file.Sync())
			}
			written += int64(len(zeros))
		}
	})
	stop = func() int64 { close(done); group.Wait(); return written }
	tick = func() {
		if how.paced {
			select {
			case ticks <- struct{}{}:
			default:
			}
		}
	}
	return stop, tick
}
