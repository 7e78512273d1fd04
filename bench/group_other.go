//go:build !unix

package main

import "os/exec"

// ownGroup does nothing where there are no process groups.
func ownGroup(*exec.Cmd) {}

// killGroup kills the command alone.
func killGroup(c *exec.Cmd) error { return c.Process.Kill() }
