package main

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// The bare measure of a confirm: what is written for one, at least, and where.
const (
	blockSize = 4 << 10
	bareFile  = 64 << 20 // overwritten block by block, as a recycled log file is
)

// bareDisk overwrites a file that is on the disk already, one block and one fdatasync at a time,
// and returns the median of both together. direct is false where the file system refuses
// O_DIRECT, and the blocks went through the cache.
func bareDisk(dir string, d time.Duration) (median time.Duration, direct bool, err error) {
	path := filepath.Join(dir, "bare")
	if err := os.WriteFile(path, make([]byte, bareFile), 0o600); err != nil {
		return 0, false, err
	}
	defer os.Remove(path)
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	direct = err == nil
	if !direct {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return 0, direct, err
	}
	defer unix.Close(fd)
	if err := unix.Fsync(fd); err != nil {
		return 0, direct, err
	}
	// A mapping begins at a page, as O_DIRECT wants it.
	block, err := unix.Mmap(-1, 0, blockSize, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0, direct, err
	}
	defer func() { err = errors.Join(err, unix.Munmap(block)) }()
	var times []time.Duration
	at := int64(0)
	for end := time.Now().Add(d); time.Now().Before(end); at = (at + blockSize) % bareFile {
		start := time.Now()
		block[0]++
		if _, err := unix.Pwrite(fd, block, at); err != nil {
			return 0, direct, err
		}
		if err := unix.Fdatasync(fd); err != nil {
			return 0, direct, err
		}
		times = append(times, time.Since(start))
	}
	return middle(times), direct, nil
}

// The sizes of a bare round trip: a message of 1 KiB, and an ack with its frame.
const (
	echoTakes = 1 << 10
	echoGives = 21
)

// echo answers every message of a connection with as many octets as a confirm has.
func echo(l net.Listener) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() { // ends with the connection
			defer c.Close()
			in, out := make([]byte, echoTakes), make([]byte, echoGives)
			for {
				if _, err := io.ReadFull(c, in); err != nil {
					return
				}
				if _, err := c.Write(out); err != nil {
					return
				}
			}
		}()
	}
}

// bareLoopback measures round trips to an echo in another process, and returns the median.
func bareLoopback(address string, d time.Duration) (time.Duration, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	out, in := make([]byte, echoTakes), make([]byte, echoGives)
	var times []time.Duration
	for end := time.Now().Add(d); time.Now().Before(end); {
		start := time.Now()
		if _, err := c.Write(out); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, in); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
	}
	return middle(times), nil
}

func middle(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// fileSystem names the file system of a directory.
func fileSystem(dir string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return unknown
	}
	names := map[int64]string{
		unix.EXT4_SUPER_MAGIC: "ext4 (or ext3)", unix.XFS_SUPER_MAGIC: "xfs",
		unix.BTRFS_SUPER_MAGIC: "btrfs", unix.TMPFS_MAGIC: "tmpfs",
		unix.OVERLAYFS_SUPER_MAGIC: "overlayfs", unix.F2FS_SUPER_MAGIC: "f2fs",
	}
	if name, ok := names[int64(s.Type)]; ok {
		return name
	}
	return unknown
}
