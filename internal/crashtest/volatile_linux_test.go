package crashtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// volatile is a disk with a write cache that a power cut empties. To the kernel it is the only
// file of a FUSE file system, under a loop device: so each write request and each flush request
// of the block layer comes by here. What was written since the last flush is lost in a power cut,
// or not, sector by sector, in any order: that is all that disks promise.
type volatile struct {
	fuse  int    // descriptor of the FUSE connection
	mount string // where the FUSE file system is
	size  int
	ended chan struct{} // closed when the server has ended

	mu      sync.Mutex
	current []byte // what a read returns
	stable  []byte // as of the last flush
	pending []pendingWrite
	counts  diskCounts
	// The armed cut: it comes when countdown requests have.
	random    *rand.Rand
	countdown int
	cutDone   func(image []byte)
	before    func()
}

// pendingWrite was written and not flushed.
type pendingWrite struct {
	at   int
	data []byte
}

// diskCounts say what went through the disk.
type diskCounts struct{ writes, flushes, lost int }

const (
	diskFile    = "disk"
	sectorBytes = 512
)

// mapped returns zeroed memory that takes room only where it is used.
func mapped(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
}

// newVolatile mounts a disk with the content of image, which it takes over.
func newVolatile(dir string, image []byte) (*volatile, error) {
	current, err := mapped(len(image))
	if err != nil {
		return nil, err
	}
	copyBlocks(current, image)
	d := &volatile{
		mount: filepath.Join(dir, "fuse"), size: len(image), current: current, stable: image,
		ended: make(chan struct{}),
	}
	if err := os.MkdirAll(d.mount, 0o700); err != nil {
		return nil, err
	}
	if d.fuse, err = unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("/dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", d.fuse)
	if err := unix.Mount("warren-crashtest", d.mount, "fuse", 0, options); err != nil {
		_ = unix.Close(d.fuse)
		return nil, fmt.Errorf("mount FUSE: %w", err)
	}
	go d.serve()
	return d, nil
}

func (d *volatile) path() string { return filepath.Join(d.mount, diskFile) }

// close ends the disk, on which nothing may be mounted any more.
func (d *volatile) close() error {
	err := unix.Unmount(d.mount, 0)
	if err != nil {
		err = errors.Join(err, unix.Unmount(d.mount, unix.MNT_DETACH|unix.MNT_FORCE))
	}
	<-d.ended
	return errors.Join(err, unix.Close(d.fuse), unix.Munmap(d.current), unix.Munmap(d.stable))
}

// copyBlocks copies what is not zero into memory that is.
func copyBlocks(dst, src []byte) {
	const block = 4096
	var zero [block]byte
	for at := 0; at < len(src); at += block {
		if b := src[at : at+block]; string(b) != string(zero[:]) {
			copy(dst[at:], b)
		}
	}
}

func (d *volatile) read(at, size int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	at = min(at, d.size)
	return append([]byte(nil), d.current[at:min(at+size, d.size)]...)
}

func (d *volatile) write(at int, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at < 0 || at+len(data) > d.size {
		return unix.ENOSPC
	}
	copy(d.current[at:], data)
	d.pending = append(d.pending, pendingWrite{at, append([]byte(nil), data...)})
	d.counts.writes++
	d.maybeCut()
	return nil
}

// flush makes stable what was written; a cut may come before that.
func (d *volatile) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.maybeCut()
	for _, w := range d.pending {
		copy(d.stable[w.at:], w.data)
	}
	d.pending = d.pending[:0]
	d.counts.flushes++
}

// arm lets the power fail after so many more requests: before is called at that instant, then
// done with what the disk has when the power is back.
func (d *volatile) arm(random *rand.Rand, requests int, before func(), done func([]byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.random, d.countdown, d.before, d.cutDone = random, requests, before, done
}

// maybeCut counts down to the cut; mu is held.
func (d *volatile) maybeCut() {
	if d.cutDone == nil {
		return
	}
	if d.countdown--; d.countdown > 0 {
		return
	}
	done := d.cutDone
	d.cutDone = nil
	d.before()
	image, err := mapped(d.size)
	if err != nil {
		panic(err) // no memory
	}
	copyBlocks(image, d.stable)
	// Some cuts lose all, some nothing, most a part.
	lose := []int{100, 90, 50, 10, 0}[d.random.IntN(5)]
	for _, w := range d.pending {
		for at := 0; at < len(w.data); at += sectorBytes {
			if d.random.IntN(100) < lose {
				d.counts.lost++
				continue
			}
			copy(image[w.at+at:], w.data[at:min(at+sectorBytes, len(w.data))])
		}
	}
	done(image)
}
