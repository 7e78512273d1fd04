//go:build !linux

package disk_test

func (l *logFile) fallocate() { l.b.Skip("fallocate is a call of Linux") }
