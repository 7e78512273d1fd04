package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/warrenmq/warren/internal/perf"
)

// scenario is one load: arguments of `warren perf`, and which figures its result gives.
type scenario struct {
	name  string
	args  []string
	relay bool // run through the bare relay too
	// figures read the result; the relay gives only those that are not of a broker.
	figures []reading
}

// reading is how a figure follows from a result; scale makes its unit.
type reading struct {
	figure figureID
	value  func(r *perf.Result) float64
}

func rate(r *perf.Result) float64      { return r.ReceivedRate / 1e3 }
func brokerCPU(r *perf.Result) float64 { return r.Broker.CPUPerMessage / 1e3 }
func clientCPU(r *perf.Result) float64 { return r.ClientCPU }
func median(r *perf.Result) float64    { return r.Latency.Median }
func p99(r *perf.Result) float64       { return r.Latency.P99 }

// scenarios lists the loads. Their arguments are what is printed and run.
func scenarios(s settings) []scenario {
	seconds := strconv.Itoa(s.seconds)
	args := func(line string) []string { return append(strings.Fields(line), "-z", seconds) }
	return []scenario{
		{
			name: "16 B", relay: true,
			args: args("-x 1 -y 1 -s 16 -a"),
			figures: []reading{
				{figureRate16, rate}, {figureCPU16, brokerCPU}, {figureClient16, clientCPU},
			},
		},
		{
			name: "1 KiB", relay: true,
			args: args("-x 1 -y 1 -s 1024 -a"),
			figures: []reading{
				{figureRate1K, rate}, {figureCPU1K, brokerCPU}, {figureClient1K, clientCPU},
			},
		},
		{
			name:    "confirmed",
			args:    args("-x 1 -y 1 -s 1024 -f persistent -c 1000 -q 1000 -u confirmed"),
			figures: []reading{{figureRateConfirmed, rate}, {figureCPUConfirmed, brokerCPU}},
		},
		{
			name: "1,000 msg/s", relay: true,
			args:    args("-x 1 -y 1 -s 16 -a -r 1000"),
			figures: []reading{{figureMedian, median}, {figureP99, p99}},
		},
	}
}

// load runs all loads on a broker.
func (r *rounds) load(ctx context.Context, n int, b *broker) error {
	for _, s := range scenarios(r.settings) {
		args := append([]string{"perf", "-h", b.uri(), "--broker-pid", strconv.Itoa(b.pid)},
			s.args...)
		result, err := runPerf[perf.Result](ctx, r, b.kind.name, args)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, f := range s.figures {
			if result.Broker != nil || !figures[f.figure].broker {
				r.report.add(f.figure, b.kind.name, n, f.value(result))
			}
		}
	}
	return nil
}

// idle measures a broker that has nothing to do, then with idle connections.
func (r *rounds) idle(ctx context.Context, n int, b *broker) error {
	resident, err := b.resident()
	if err != nil {
		return err
	}
	r.report.add(figureIdle, b.kind.name, n, float64(resident)/1e6)
	args := []string{
		"perf", "-h", b.uri(), "--broker-pid", strconv.Itoa(b.pid),
		"--connections", strconv.Itoa(r.settings.connections),
	}
	result, err := runPerf[perf.IdleResult](ctx, r, b.kind.name, args)
	if err != nil {
		return fmt.Errorf("idle connections: %w", err)
	}
	r.report.add(figureConnection, b.kind.name, n, result.PerConnection/(1<<10))
	return nil
}

// throughRelay runs a load through the bare relay, a process of its own as a broker is.
func (r *rounds) throughRelay(ctx context.Context, n int, s scenario) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	relay := exec.CommandContext(ctx, self, "relay")
	relay.Cancel = func() error { return relay.Process.Signal(syscall.SIGTERM) }
	out, err := relay.StdoutPipe()
	if err != nil {
		return err
	}
	if err := relay.Start(); err != nil {
		return err
	}
	defer func() {
		_ = relay.Process.Signal(syscall.SIGTERM)
		_ = relay.Wait() // it has nothing to say
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	args := append([]string{
		"perf", "-h", strings.TrimSpace(line), "--broker-pid", strconv.Itoa(relay.Process.Pid),
	}, s.args...)
	result, err := runPerf[perf.Result](ctx, r, relayName, args)
	if err != nil {
		return err
	}
	for _, f := range s.figures {
		if result.Broker != nil || !figures[f.figure].broker {
			r.report.add(f.figure, relayName, n, f.value(result))
		}
	}
	return nil
}

// runPerf runs `warren` with arguments that make it print JSON, and records both.
func runPerf[R any](ctx context.Context, r *rounds, name string, args []string) (*R, error) {
	args = append(args, "--json")
	fmt.Printf("  %s: warren %s\n", name, strings.Join(args, " "))
	load := loadAverage()
	c := exec.CommandContext(ctx, r.settings.warren, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("warren %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	r.report.command(name, args, load, stdout.Bytes())
	result := new(R)
	return result, json.Unmarshal(stdout.Bytes(), result)
}
