package disk_test

import "golang.org/x/sys/unix"

// fallocate makes a file whose blocks are there and were never written.
func (l *logFile) fallocate() {
	l.create()
	fd, err := unix.Open(l.name(), unix.O_RDWR|unix.O_CLOEXEC, 0)
	l.check(err)
	defer unix.Close(fd)
	l.check(unix.Fallocate(fd, 0, 0, logFileBytes))
	l.check(l.file.Sync())
}
