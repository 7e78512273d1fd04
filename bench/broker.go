package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
	settleTime = 3 * time.Second
)

// brokerKind says how to start one make of broker.
type brokerKind struct {
	name string
	// command returns what to run, with all data below dir and AMQP on 127.0.0.1:port.
	command func(dir string, port int) (*exec.Cmd, error)
	// pidFile is where the broker, below dir, writes its process; "": it is the command's.
	pidFile string
	// after cleans up what outlives the broker.
	after func(dir string) error
}

func warrenKind(binary string) brokerKind {
	return brokerKind{
		name: warrenName,
		command: func(dir string, port int) (*exec.Cmd, error) {
			return exec.Command(binary, "serve", "--data", filepath.Join(dir, "data"),
				"--listen", address(port), "--log-level", "warn"), nil
		},
	}
}

// rabbitKind runs RabbitMQ without plugins, as a node of its own with its own port mapper.
func rabbitKind(script string) brokerKind {
	var mapper int
	return brokerKind{
		name:    rabbitName,
		pidFile: "pid",
		command: func(dir string, port int) (*exec.Cmd, error) {
			var dist int
			for _, p := range []*int{&mapper, &dist} {
				var err error
				if *p, err = freePort(); err != nil {
					return nil, err
				}
			}
			plugins := filepath.Join(dir, "plugins")
			if err := os.WriteFile(plugins, []byte("[].\n"), 0o600); err != nil {
				return nil, err
			}
			c := exec.Command(script)
			c.Env = append(os.Environ(),
				"HOME="+dir,
				"RABBITMQ_NODENAME=bench"+strconv.Itoa(port)+"@localhost",
				"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
				"RABBITMQ_NODE_PORT="+strconv.Itoa(port),
				"RABBITMQ_DIST_PORT="+strconv.Itoa(dist),
				"RABBITMQ_MNESIA_BASE="+filepath.Join(dir, "mnesia"),
				"RABBITMQ_LOG_BASE="+filepath.Join(dir, "log"),
				"RABBITMQ_PID_FILE="+filepath.Join(dir, "pid"),
				"RABBITMQ_ENABLED_PLUGINS_FILE="+plugins,
				"ERL_EPMD_ADDRESS=127.0.0.1",
				"ERL_EPMD_PORT="+strconv.Itoa(mapper))
			return c, nil
		},
		after: func(string) error {
			return exec.Command("epmd", "-port", strconv.Itoa(mapper), "-kill").Run()
		},
	}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// broker is a running one.
type broker struct {
	kind     brokerKind
	dir      string
	port     int
	command  *exec.Cmd
	pid      int
	accepted time.Duration // from exec to the answer to the first connection
	version  string
	exited   chan error
	out      *bytes.Buffer
}

// startBroker runs a broker and waits until it answers an AMQP connection.
func startBroker(ctx context.Context, k brokerKind, dir string) (*broker, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command, err := k.command(dir, port)
	if err != nil {
		return nil, err
	}
	b := &broker{
		kind: k, dir: dir, port: port, command: command,
		exited: make(chan error, 1), out: new(bytes.Buffer),
	}
	command.Stdout, command.Stderr = b.out, b.out
	started := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	b.pid = command.Process.Pid
	go func() { b.exited <- command.Wait() }() // ends with the process
	if err := b.await(ctx, started); err != nil {
		return nil, errors.Join(err, b.stop(), errors.New(b.out.String()))
	}
	return b, b.findPID()
}

// await probes until the broker answers.
func (b *broker) await(ctx context.Context, started time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		version, err := probe(ctx, address(b.port))
		if err == nil {
			b.accepted, b.version = time.Since(started), version
			return nil
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

// probe connects, and returns product and version of the broker that answers.
func probe(ctx context.Context, address string) (string, error) {
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
	if b.kind.pidFile == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(b.dir, b.kind.pidFile))
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
func (b *broker) uri() string { return "amqp://" + address(b.port) }

// stop ends the broker, first with a signal and then by force.
func (b *broker) stop() error {
	process, err := os.FindProcess(b.pid)
	if err == nil {
		err = process.Signal(syscall.SIGTERM)
	}
	select {
	case <-b.exited: // a broker that was told to end may say so in its exit code
	case <-time.After(stopTimeout):
		err = errors.Join(err, errors.New("had to be killed"), process.Kill(),
			b.command.Process.Kill())
		<-b.exited
	}
	if b.kind.after != nil {
		err = errors.Join(err, b.kind.after(b.dir))
	}
	return err
}
