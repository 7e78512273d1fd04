package suites

import (
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
	"sync"

	"github.com/warrenmq/warren/conformance/broker"
)

const (
	// nodeTestCount is how many tests amqplib's suite has.
	nodeTestCount = 319
	// nodeTestTimeout is how long one of them may take, in milliseconds. Its authors give it one
	// second, which is little on a machine that is busy with other tests.
	nodeTestTimeout = "30000"
)

// runNodeSuite runs the tests inside amqplib's package.
func runNodeSuite(ctx context.Context, b *broker.Broker, folder string) ([]outcome, error) {
	ours, err := filepath.Abs("javascript")
	if err != nil {
		return nil, err
	}
	modules := filepath.Join(ours, "node_modules")
	for _, need := range []string{"amqplib", "claire"} {
		if _, err := os.Stat(filepath.Join(modules, need, "package.json")); err != nil {
			return nil, fmt.Errorf("%w: npm ci in suites/javascript", broker.ErrMissing)
		}
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("%w: nodejs", broker.ErrMissing)
	}
	// Node.js finds no tests in a folder of dependencies, so the package stands beside them.
	library := filepath.Join(folder, "amqplib")
	err = errors.Join(
		os.CopyFS(library, os.DirFS(filepath.Join(modules, "amqplib"))),
		os.Symlink(modules, filepath.Join(folder, "node_modules")),
	)
	if err != nil {
		return nil, fmt.Errorf("copy amqplib: %w", err)
	}
	_, port, err := net.SplitHostPort(b.Address())
	if err != nil {
		return nil, err
	}
	door, err := openSecondDoor(net.JoinHostPort("::1", port), b.Address())
	if err != nil {
		return nil, err
	}
	defer door.close()
	cmd := exec.CommandContext(ctx, node, "--require", filepath.Join(ours, "port.cjs"),
		"--test", "--test-timeout="+nodeTestTimeout,
		"--test-reporter="+filepath.Join(ours, "reporter.mjs"))
	cmd.Dir = library
	cmd.Env = append(os.Environ(), "AMQP_PORT="+port)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	return readNodeReports(out, err, complaints.Bytes())
}

// readNodeReports reads the lines of javascript/reporter.mjs.
func readNodeReports(out []byte, ended error, complaints []byte) ([]outcome, error) {
	var outcomes []outcome
	for line := range bytes.Lines(out) {
		var report struct{ Name, Result, Output string }
		if err := json.Unmarshal(line, &report); err != nil {
			return nil, fmt.Errorf("the report of the tests: %w: %q", err, line)
		}
		outcomes = append(outcomes, outcome{report.Name, report.Result, report.Output})
	}
	if len(outcomes) == 0 {
		return nil, fmt.Errorf("no test was reported: %w\n%s", ended, complaints)
	}
	return outcomes, nil
}

// secondDoor listens on one address and leads whoever comes to another. One test asks for a broker
// on the IPv6 loopback, and ours listens on one address.
type secondDoor struct {
	listener net.Listener
	open     sync.WaitGroup
}

func openSecondDoor(address, target string) (*secondDoor, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the test of IPv6 needs %s: %w", address, err)
	}
	d := &secondDoor{listener: listener}
	d.open.Go(func() {
		for {
			visitor, err := listener.Accept()
			if err != nil {
				return // closed
			}
			d.open.Go(func() { lead(visitor, target) })
		}
	})
	return d, nil
}

// lead forwards both ways until either side has gone.
func lead(visitor net.Conn, target string) {
	defer visitor.Close()
	host, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer host.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(visitor, host)
		visitor.Close()
	})
	_, _ = io.Copy(host, visitor)
	host.Close()
	back.Wait()
}

// close returns when all who came through have left.
func (d *secondDoor) close() {
	d.listener.Close()
	d.open.Wait()
}
