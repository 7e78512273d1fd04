//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// ownGroup has a command started in a process group of its own.
func ownGroup(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup kills the group of a command that ownGroup prepared.
func killGroup(c *exec.Cmd) error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
