// Command bench measures warren beside its peers, on this machine and in the same run, and
// writes what it found, with the goals and by how much they were reached or missed.
//
// It stands above the tower: it runs brokers as programs and sees them through the wire, with
// `warren perf`. README.md says what is measured, and how.
//
//	go run ./bench                              # builds warren; every case, every peer
//	go run ./bench -quick                       # one short round, to see it work
//	go run ./bench -case 'topic|fan-out' -peer 'warren|NATS' -runs 5
//	go run ./bench relay                        # the relay alone, for warren perf -h relay://...
//
// In each round every case runs on every peer by turns, on a broker started afresh in an empty
// directory. A figure is the median of its rounds, with the least and the greatest; a ratio is
// formed within each round.
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
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/perf"
)

// settings are the flags of the program.
type settings struct {
	Warren      string `json:"warren"`
	RabbitMQ    string `json:"rabbitmq"`
	GarageMQ    string `json:"garagemq"`
	NATS        string `json:"nats"`
	Runs        int    `json:"runs"`
	Seconds     int    `json:"seconds"`
	Connections int    `json:"connections"`
	Quick       bool   `json:"quick"` // sizes divided by quickShare
	Cases       string `json:"cases"`
	Peers       string `json:"peers"`
	Dir         string `json:"dir"`
	Out         string `json:"out"`
	Name        string `json:"name"`
}

// quickShare divides the sizes of backlogs and the numbers of queues in a quick run.
const quickShare = 100

// natsModule is the NATS server that is built where none is given.
const natsModule = "github.com/nats-io/nats-server/v2@v2.15.2"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch verb, address := verbOf(os.Args[1:]); verb {
	case "relay":
		err = serveOn(ctx, address, perf.Relay)
	case "echo":
		err = serveOn(ctx, address, echo)
	default:
		err = bench(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// verbOf takes "relay" or "echo" and an address, by default any port, off the command line.
func verbOf(args []string) (verb, address string) {
	address = "127.0.0.1:0"
	if len(args) > 1 {
		address = args[1]
	}
	if len(args) > 0 {
		verb = args[0]
	}
	return verb, address
}

// serveOn serves on an address, which it prints, until ctx ends.
func serveOn(ctx context.Context, address string, serve func(net.Listener) error) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("relay://%s\n", l.Addr())
	context.AfterFunc(ctx, func() { _ = l.Close() })
	return serve(l)
}

func parseFlags() settings {
	var s settings
	flag.StringVar(&s.Warren, "warren", "", "the binary of warren (default: built from this tree)")
	flag.StringVar(&s.RabbitMQ, "rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmq-server",
		"RabbitMQ's start script")
	flag.StringVar(&s.GarageMQ, "garagemq", "/usr/bin/garagemq", "the binary of GarageMQ")
	flag.StringVar(&s.NATS, "nats", "",
		"the binary of nats-server (default: "+natsModule+", built once into the user's cache)")
	flag.IntVar(&s.Runs, "runs", 3, "rounds")
	flag.IntVar(&s.Seconds, "seconds", 8, "length of each load")
	flag.IntVar(&s.Connections, "connections", 5000, "idle connections")
	flag.StringVar(&s.Cases, "case", ".", "regular expression: only the cases it matches")
	flag.StringVar(&s.Peers, "peer", ".", "regular expression: only the peers it matches")
	flag.StringVar(&s.Dir, "dir", "", "where data directories are made: a real disk"+
		" (default: the directory for temporary files)")
	flag.StringVar(&s.Out, "out", "bench/results", "directory for the result")
	flag.StringVar(&s.Name, "name", "peers", "name of the result, after the date")
	flag.BoolVar(&s.Quick, "quick", false,
		"one round of two seconds, 500 connections, a hundredth of backlogs and queues")
	flag.Parse()
	if s.Quick {
		s.Runs, s.Seconds, s.Connections = 1, 2, 500
	}
	return s
}

func bench(ctx context.Context) error {
	s := parseFlags()
	work, err := os.MkdirTemp(s.Dir, "warren-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if fs := fileSystem(work); fs == "tmpfs" {
		return fmt.Errorf("%s is on tmpfs: give a directory on a disk with -dir", work)
	}
	if err := s.build(ctx, work); err != nil {
		return err
	}
	only, err := selection(s)
	if err != nil {
		return err
	}
	r := newReport(s, work)
	defer r.progress("stopped")
	for n := range s.Runs {
		for _, c := range only.cases {
			for _, p := range only.peersOf(c) {
				if c.heavy && n > 0 && p.name != warrenName {
					continue
				}
				if err := r.attempt(ctx, n, c, p); err != nil {
					return err
				}
			}
		}
		if err := r.write(); err != nil { // each round, so that an end in the middle loses little
			return err
		}
	}
	fmt.Println(r.text())
	return r.failed()
}

// build finds or builds the programs that are measured.
func (s *settings) build(ctx context.Context, work string) error {
	if s.Warren == "" {
		s.Warren = filepath.Join(work, "warren")
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=true", "-o", s.Warren,
			"./cmd/warren")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build warren: %w\n%s", err, out)
		}
	}
	var err error
	if s.Warren, err = filepath.Abs(s.Warren); err != nil || s.NATS != "" {
		return err
	}
	if matched, err := regexp.MatchString(s.Peers, natsName+jetName+syncName); !matched {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	_, version, _ := strings.Cut(natsModule, "@")
	dir := filepath.Join(cache, "warren-bench", "nats-server-"+version)
	s.NATS = filepath.Join(dir, "nats-server")
	if _, err := os.Stat(s.NATS); err == nil {
		return nil
	}
	install := exec.CommandContext(ctx, "go", "install", natsModule)
	install.Dir = work // outside of our module
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", natsModule, err, out)
	}
	return nil
}

// chosen are the cases and peers of a run.
type chosen struct {
	cases []benchCase
	peers []peer
}

func selection(s settings) (chosen, error) {
	wantCase, err := regexp.Compile(s.Cases)
	if err != nil {
		return chosen{}, err
	}
	wantPeer, err := regexp.Compile(s.Peers)
	if err != nil {
		return chosen{}, err
	}
	var c chosen
	for _, one := range cases(s) {
		if wantCase.MatchString(one.name) {
			c.cases = append(c.cases, one)
		}
	}
	for _, p := range peers(s) {
		if wantPeer.MatchString(p.name) {
			c.peers = append(c.peers, p)
		}
	}
	if len(c.cases) == 0 || len(c.peers) == 0 {
		return c, errors.New("no case, or no peer, has such a name")
	}
	return c, nil
}

// peersOf are those that a case is for, in the order of the table.
func (c chosen) peersOf(one benchCase) (list []peer) {
	for _, p := range c.peers {
		if _, ok := one.args[p.name]; ok {
			list = append(list, p)
		}
	}
	return list
}

// pause waits, or returns why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
