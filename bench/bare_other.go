//go:build !linux

package main

import (
	"errors"
	"net"
	"time"
)

func bareDisk(string, time.Duration) (time.Duration, bool, error) {
	return 0, false, errors.ErrUnsupported
}

func bareLoopback(string, time.Duration) (time.Duration, error) {
	return 0, errors.ErrUnsupported
}

func echo(net.Listener) error { return errors.ErrUnsupported }

func fileSystem(string) string { return unknown }
