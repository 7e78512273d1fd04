package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/perf"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 30 * time.Second
	// probeEvery is the resolution of the time to the first connection.
	probeEvery = time.Millisecond
	// settleTime is how long a fresh broker is left alone before it is measured.
	settleTime = 2 * time.Second
)

// broker is a running one.
type broker struct {
	peer     peer
	dir      string
	port     int
	command  *exec.Cmd
	pid      int
	accepted time.Duration // from exec to the answer to the first connection
	version  string
	// environment is what the command is given besides ours.
	environment []string
	exited      chan error
	out         *bytes.Buffer
}

// startBroker runs a broker, in a process group of its own, and waits until it answers a
// connection.
func startBroker(ctx context.Context, p peer, dir string) (*broker, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command, err := p.command(dir, port)
	if err != nil {
		return nil, err
	}
	b := &broker{
		peer: p, dir: dir, port: port, command: command,
		exited: make(chan error, 1), out: new(bytes.Buffer),
	}
	command.Stdout, command.Stderr = b.out, b.out
	if command.Env != nil {
		b.environment = command.Env
		command.Env = append(os.Environ(), command.Env...)
	}
	ownGroup(command)
	started := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	b.pid = command.Process.Pid
	go func() { b.exited <- command.Wait() }() // ends with the process
	if err := b.await(ctx, started); err != nil {
		return nil, errors.Join(err, b.stop(), errors.New(b.out.String()))
	}
	return b, nil
}

// await probes until the broker answers.
func (b *broker) await(ctx context.Context, started time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		version, err := b.peer.probe(ctx, address(b.port))
		if err == nil {
			b.accepted, b.version = time.Since(started), version
			return b.findPID()
		}
		select {
		case <-time.After(probeEvery):
		case err := <-b.exited:
			b.exited <- err
			return fmt.Errorf("ended at the start: %w", err)
		case <-ctx.Done():
			return fmt.Errorf("does not answer: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// probeAMQP is for brokers that open with connection.start.
func probeAMQP(ctx context.Context, address string) (string, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := c.Write(amqp.ProtocolHeader[:]); err != nil {
		return "", err
	}
	var buf []byte
	for {
		f, n, err := amqp.ParseFrame(buf, 0)
		if err != nil {
			return "", err
		}
		if n > 0 {
			return productOf(f)
		}
		part := make([]byte, 4096)
		n, err = c.Read(part)
		buf = append(buf, part[:n]...)
		if n == 0 && err != nil {
			return "", errors.Join(err, io.ErrUnexpectedEOF)
		}
	}
}

func productOf(f amqp.Frame) (string, error) {
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil {
		return "", err
	}
	start, ok := m.(*amqp.ConnectionStart)
	if !ok {
		return "", fmt.Errorf("the broker opens with %v", m.ID())
	}
	text := func(key string) string {
		v, _ := start.ServerProperties.Lookup(key)
		s, _ := v.Text()
		return string(s)
	}
	return strings.TrimSpace(text("product") + " " + text("version")), nil
}

// findPID learns the broker's process where the command is only a script around it.
func (b *broker) findPID() error {
	if b.peer.pidFile == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(b.dir, b.peer.pidFile))
	if err != nil {
		return err
	}
	b.pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
	return err
}

// resident returns the broker's memory in bytes.
func (b *broker) resident() (uint64, error) {
	m, err := perf.NewMeter([]int{b.pid})
	if err != nil {
		return 0, err
	}
	u, err := m.Read()
	return u.Resident, err
}

// uri is where the broker listens.
func (b *broker) uri() string { return b.peer.uriOf(b.port) }

// settings says how the broker was started, and with what configuration.
func (b *broker) settings() string {
	text := strings.Join(append(slices.Clone(b.environment), b.command.Args...), " ")
	if config, err := os.ReadFile(filepath.Join(b.dir, configName)); err == nil {
		text += "\n" + string(config)
	}
	return strings.TrimSpace(withoutHome(strings.ReplaceAll(text, b.dir, "DIR")))
}

// withoutHome replaces the user's directory for caches, which is on one machine only.
func withoutHome(text string) string {
	if cache, err := os.UserCacheDir(); err == nil {
		text = strings.ReplaceAll(text, cache, "CACHE")
	}
	return text
}

// stop ends the broker, first with a signal and then by force.
func (b *broker) stop() error {
	var err error
	end := syscall.SIGTERM
	if b.peer.deaf {
		end = syscall.SIGKILL
	}
	process, found := os.FindProcess(b.pid)
	if found == nil {
		err = process.Signal(end)
	}
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-b.exited: // a broker that was told to end may say so in its exit code
	case <-time.After(stopTimeout):
		err = errors.Join(err, errors.New("had to be killed"),
			killGroup(b.command))
		<-b.exited
	}
	if b.peer.after != nil {
		err = errors.Join(err, b.peer.after())
	}
	return err
}

// probeNATS reads the INFO that a NATS server opens with.
func probeNATS(ctx context.Context, address string) (string, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return "", err
	}
	var info struct{ Version string }
	err = json.Unmarshal([]byte(strings.TrimPrefix(line, "INFO ")), &info)
	return "nats-server " + info.Version, err
}

// probeRelay uses up a pair of connections, so that the next two make a pair again.
func probeRelay(ctx context.Context, address string) (string, error) {
	for range 2 {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return "", err
		}
		defer c.Close()
	}
	return "copies bytes, no broker", nil
}
