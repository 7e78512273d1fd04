package crashtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// process is a running broker.
type process struct {
	cmd    *exec.Cmd
	addr   string
	stderr lockedBuffer
	ended  chan struct{} // closed when it has ended
}

// lockedBuffer is written by the process and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// tail returns the last of what was written.
func (b *lockedBuffer) tail() string {
	const tailMax = 4 << 10
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.String()
	return s[max(0, len(s)-tailMax):]
}

// smallFiles has a little load begin, recycle and merge files, which otherwise takes much.
const smallFiles = "log_file_size = 1MiB\n"

// launch starts a broker with small files on a data directory and does not wait for it. settings
// are more lines of its configuration.
func launch(program, dir string, settings ...string) (*process, io.Reader, error) {
	p := &process{ended: make(chan struct{})}
	p.cmd = exec.Command(program, "serve", "--data", dir, "--config", "/dev/stdin")
	p.cmd.Stdin = strings.NewReader("listeners.tcp.default = 127.0.0.1:0\n" + smallFiles +
		strings.Join(settings, "\n"))
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return p, stdout, p.cmd.Start()
}

// serve starts a broker and waits until it says where it listens. The error of a broker that
// refuses to start has what it said.
func serve(program, dir string, settings ...string) (*process, error) {
	p, stdout, err := launch(program, dir, settings...)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for p.addr == "" && lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "amqp://"); ok {
			p.addr = strings.TrimSpace(address)
		}
	}
	go func() {
		for lines.Scan() {
		}
		_ = p.cmd.Wait() // how it ended, the process state says
		close(p.ended)
	}()
	if p.addr == "" {
		<-p.ended
		return nil, fmt.Errorf("%w: the broker does not start: %s", errViolation, p.stderr.tail())
	}
	return p, nil
}

// kill is kill -9. It is an error if the broker had ended before.
func (p *process) kill() error { return p.end(syscall.SIGKILL) }

// end sends a signal and waits until the process is gone.
func (p *process) end(signal syscall.Signal) error {
	select {
	case <-p.ended:
		return fmt.Errorf("%w: the broker ended by itself: %s", errViolation, p.stderr.tail())
	default:
	}
	_ = p.cmd.Process.Signal(signal)
	<-p.ended
	return nil
}
