package process

import (
	"os/exec"
	"syscall"
)

// ownGroup gives the child its own process group, and its death when this process dies: a suite
// that is killed leaves no broker behind.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
