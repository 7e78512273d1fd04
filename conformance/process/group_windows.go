package process

import (
	"os"
	"os/exec"
)

// Windows has neither process groups of this kind nor a Ctrl-C for one child: the suite is not
// meant to pass there, only to compile.

func ownGroup(*exec.Cmd) {}

func interruptGroup(p *os.Process) { _ = p.Kill() }

func terminateGroup(p *os.Process) { _ = p.Kill() }

func killGroup(p *os.Process) { _ = p.Kill() }
