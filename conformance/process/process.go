// Package process runs foreign programs and waits for what they print.
//
// It is the ground of the conformance suite: brokers and client programs alike are children whose
// standard output is a list of lines. Nobody sleeps: a test waits for a line, or for the end, with
// a deadline.
//
//	receiver, err := process.Start("receive", exec.Command("python3", "receive.py"))
//	err = receiver.WaitLine(ctx, " [*] Waiting for messages. To exit press CTRL+C")
//	receiver.Interrupt()
//	err = receiver.Wait(ctx)
package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// stderrMax bounds what is kept of a program's standard error.
	stderrMax = 16 << 10
	// reportLinesMax bounds how many of the last lines an error quotes.
	reportLinesMax = 40
	// pipeDelay is how long the pipes of an ended program may stay open in its descendants.
	pipeDelay = 5 * time.Second
)

// Process is a started program. All methods may be called concurrently.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended and its output is complete

	mu      sync.Mutex
	lines   []string
	stderr  []byte
	changed chan struct{} // closed and replaced at every new line
	err     error         // how the program ended, valid after done
}

// Start starts cmd in a process group of its own, which dies with this process where the system
// can do that. The name is for error messages. The caller ends it with Wait or Kill.
func Start(name string, cmd *exec.Cmd) (*Process, error) {
	p := &Process{
		name:    name,
		cmd:     cmd,
		done:    make(chan struct{}),
		changed: make(chan struct{}),
	}
	reader, writer := io.Pipe()
	cmd.Stdout = writer
	cmd.Stderr = stderrOf{p}
	cmd.WaitDelay = pipeDelay
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	scanned := make(chan struct{})
	go func() {
		defer close(scanned)
		p.scan(reader)
	}()
	go func() {
		err := cmd.Wait()
		if errors.Is(err, exec.ErrWaitDelay) {
			killGroup(cmd.Process) // descendants that outlive the program still hold its output
		}
		writer.Close()
		<-scanned
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// Run starts cmd, waits for its end and returns the lines that it printed. The error tells when it
// did not end well, or not before ctx; then it has been killed.
func Run(ctx context.Context, name string, cmd *exec.Cmd) ([]string, error) {
	p, err := Start(name, cmd)
	if err != nil {
		return nil, err
	}
	err = p.Wait(ctx)
	if ctx.Err() != nil {
		p.Kill()
	}
	return p.Lines(), err
}

func (p *Process) scan(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			p.mu.Lock()
			p.lines = append(p.lines, strings.TrimRight(line, "\r\n"))
			close(p.changed)
			p.changed = make(chan struct{})
			p.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// stderrOf keeps the end of a program's standard error.
type stderrOf struct{ *Process }

func (w stderrOf) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stderr = append(w.stderr, b...)
	if excess := len(w.stderr) - stderrMax; excess > 0 {
		w.stderr = slices.Delete(w.stderr, 0, excess)
	}
	return len(b), nil
}

// Lines returns a copy of what the program has printed so far, without line ends.
func (p *Process) Lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// WaitFor waits until the lines printed so far satisfy enough. The error says what came instead:
// ctx was done, or the program ended before.
func (p *Process) WaitFor(ctx context.Context, what string, enough func([]string) bool) error {
	for {
		ended := false
		select {
		case <-p.done:
			ended = true
		default:
		}
		p.mu.Lock()
		lines, changed := slices.Clone(p.lines), p.changed
		p.mu.Unlock()
		if enough(lines) {
			return nil
		}
		if ended {
			return p.report("ended before it printed " + what)
		}
		select {
		case <-changed:
		case <-p.done:
		case <-ctx.Done():
			return p.report("did not print " + what + " in time")
		}
	}
}

// WaitLine waits until the program has printed exactly this line.
func (p *Process) WaitLine(ctx context.Context, line string) error {
	return p.WaitFor(ctx, fmt.Sprintf("%q", line), func(lines []string) bool {
		return slices.Contains(lines, line)
	})
}

// Wait waits for the end of the program and of its output. The error tells when it did not end
// with success, or not before ctx; then it is still running.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		return p.report("did not end in time")
	}
	if err := p.Err(); err != nil {
		return p.report("ended with " + err.Error())
	}
	return nil
}

// Err returns how the program ended: nil for success, or while it runs.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Interrupt sends what Ctrl-C sends, to the program's whole group.
func (p *Process) Interrupt() { p.signal(interruptGroup) }

// Terminate asks the program's whole group to end.
func (p *Process) Terminate() { p.signal(terminateGroup) }

// Kill is kill -9 of the program's whole group. It returns when the program is gone.
func (p *Process) Kill() {
	p.signal(killGroup)
	<-p.done
}

// signal leaves a program that has ended alone: its number may be another's by now.
func (p *Process) signal(send func(*os.Process)) {
	select {
	case <-p.done:
	default:
		send(p.cmd.Process)
	}
}

// report returns an error with the program's last output.
func (p *Process) report(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	if len(lines) > reportLinesMax {
		lines = lines[len(lines)-reportLinesMax:]
	}
	text := fmt.Sprintf("%s %s; it printed:\n\t%s", p.name, what, strings.Join(lines, "\n\t"))
	if complaint := bytes.TrimSpace(p.stderr); len(complaint) > 0 {
		text += fmt.Sprintf("\nand on standard error:\n\t%s",
			strings.ReplaceAll(string(complaint), "\n", "\n\t"))
	}
	return errors.New(text)
}
