// Command bench measures warren beside RabbitMQ, on this machine and in the same run, with
// `warren perf`, and writes a table of what it found: rates, the broker's CPU time for each
// message, memory, time to the first connection, latency beside a bare relay.
//
// It stands above the tower: it runs brokers as programs and sees them through the wire.
//
//	go run ./bench                              # builds warren, three rounds of ten seconds
//	go run ./bench -quick                       # one round of three seconds, to see it work
//	go run ./bench -warren ./warren -runs 5 -out bench/results
//	go run ./bench relay                        # the relay alone, for warren perf -h relay://...
//
// In each round every broker is started afresh, warren and RabbitMQ by turns. A figure is the
// median of its rounds, with the least and the greatest; a ratio is formed within each round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/perf"
)

// settings are the flags of the program.
type settings struct {
	warren      string
	rabbitmq    string
	runs        int
	seconds     int
	connections int
	out         string
	name        string
	quick       bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if len(os.Args) > 1 && os.Args[1] == "relay" {
		err = relay(ctx)
	} else {
		err = bench(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// relay serves a perf.Relay on any port, which it prints, until ctx ends.
func relay(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("relay://%s\n", l.Addr())
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return perf.Relay(l)
}

func bench(ctx context.Context) error {
	s := parseFlags()
	work, err := os.MkdirTemp("", "warren-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if s.warren == "" {
		s.warren = filepath.Join(work, "warren")
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=true",
			"-o", s.warren, "./cmd/warren")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build warren: %w\n%s", err, out)
		}
	}
	if s.warren, err = filepath.Abs(s.warren); err != nil {
		return err
	}
	r := &rounds{settings: s, work: work, report: newReport(s)}
	version, err := exec.CommandContext(ctx, s.warren, "--version").Output()
	if err != nil {
		return fmt.Errorf("ask warren for its version: %w", err)
	}
	r.report.version(warrenName, strings.TrimSpace(string(version)))
	for n := range s.runs {
		fmt.Printf("round %d of %d, load %s\n", n+1, s.runs, loadAverage())
		if err := r.round(ctx, n); err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
	}
	return r.report.write(s.out)
}

func parseFlags() settings {
	var s settings
	flag.StringVar(&s.warren, "warren", "", "the binary of warren (default: built from this tree)")
	flag.StringVar(&s.rabbitmq, "rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server",
		"RabbitMQ's start script; without it, warren is measured alone")
	flag.IntVar(&s.runs, "runs", 3, "rounds")
	flag.IntVar(&s.seconds, "seconds", 10, "length of each load")
	flag.IntVar(&s.connections, "connections", 5000, "idle connections")
	flag.StringVar(&s.out, "out", "bench/results", "directory for the result")
	flag.StringVar(&s.name, "name", "figures", "name of the result, after the date")
	flag.BoolVar(&s.quick, "quick", false, "one round of three seconds and 500 connections")
	flag.Parse()
	if s.quick {
		s.runs, s.seconds, s.connections = 1, 3, 500
	}
	return s
}

// rounds carries out rounds of all scenarios.
type rounds struct {
	settings settings
	work     string
	report   *report
}

// round measures each broker once, and the relay.
func (r *rounds) round(ctx context.Context, n int) error {
	kinds := []brokerKind{warrenKind(r.settings.warren)}
	if _, err := os.Stat(r.settings.rabbitmq); err == nil {
		kinds = append(kinds, rabbitKind(r.settings.rabbitmq))
	}
	for _, s := range scenarios(r.settings) {
		if s.relay {
			if err := r.throughRelay(ctx, n, s); err != nil {
				return fmt.Errorf("%s through the relay: %w", s.name, err)
			}
		}
	}
	for _, k := range kinds {
		for _, freshStart := range []func(context.Context, int, *broker) error{r.idle, r.load} {
			if err := r.onFresh(ctx, n, k, freshStart); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	return nil
}

// onFresh starts a broker with an empty data directory and stops it afterwards.
func (r *rounds) onFresh(ctx context.Context, n int, k brokerKind,
	measure func(context.Context, int, *broker) error,
) (err error) {
	dir, err := os.MkdirTemp(r.work, k.name)
	if err != nil {
		return err
	}
	b, err := startBroker(ctx, k, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	if k.name != warrenName { // which tells clients that it is RabbitMQ
		r.report.version(k.name, b.version)
	}
	r.report.add(figureFirst, k.name, n, float64(b.accepted.Microseconds())/1e3)
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	return measure(ctx, n, b)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
