package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/perf"
)

// attemptMax bounds one attempt: a peer that hangs must not hold up the others.
const attemptMax = 30 * time.Minute

// attempt is one case on one peer in one round.
type attempt struct {
	*report
	round int
	one   benchCase
	peer  peer
	dir   string // empty, for this attempt alone
}

// attempt runs a case on a peer. What fails is recorded and does not end the run; what is
// returned does.
func (r *report) attempt(ctx context.Context, round int, c benchCase, p peer) error {
	dir, err := os.MkdirTemp(r.work, "run-")
	if err != nil {
		return err
	}
	a := &attempt{report: r, round: round, one: c, peer: p, dir: dir}
	r.progress(fmt.Sprintf("round %d of %d, %s, %s", round+1, r.Settings.Runs, c.name, p.name))
	bounded, cancel := context.WithTimeout(ctx, attemptMax)
	defer cancel()
	if p.name == bareName {
		err = a.bare(bounded)
	} else {
		err = c.run(bounded, a)
	}
	if ctx.Err() != nil { // interrupted: what failed failed for that
		return errors.Join(ctx.Err(), os.RemoveAll(dir))
	}
	if err != nil {
		r.fail(round, c.name, p.name, err)
	}
	return os.RemoveAll(dir)
}

// add records a value.
func (a *attempt) add(m metric, value float64) {
	a.Values = append(a.Values, value4(a.one.name, a.peer.name, m, a.round, value))
}

// fresh starts the peer in the attempt's directory, and gives it time to settle.
func (a *attempt) fresh(ctx context.Context) (*broker, error) {
	b, err := startBroker(ctx, a.peer, a.dir)
	if err != nil {
		return nil, err
	}
	a.started(b)
	if err := pause(ctx, settleTime); err != nil {
		return nil, errors.Join(err, b.stop())
	}
	return b, nil
}

// perfOn runs `warren perf` on a broker.
func perfOn[R any](ctx context.Context, a *attempt, b *broker, line string) (*R, error) {
	args := []string{"perf", "-h", b.uri(), "--broker-pid", strconv.Itoa(b.pid)}
	args = append(args, strings.Fields(line)...)
	args = append(args, a.peer.args...)
	return runPerf[R](ctx, a, args)
}

// runPerf runs `warren` with arguments that make it print JSON, and records both.
func runPerf[R any](ctx context.Context, a *attempt, args []string) (*R, error) {
	args = append(args, "--json")
	load := loadAverage()
	c := exec.CommandContext(ctx, a.Settings.Warren, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, lastLine(stderr.String()))
	}
	a.Commands = append(a.Commands, command{
		Case: a.one.name, Peer: a.peer.name, Round: a.round, Args: args, Load: load,
		Result: json.RawMessage(stdout.Bytes()),
	})
	result := new(R)
	return result, json.Unmarshal(stdout.Bytes(), result)
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// seconds is the flag for the length of a load.
func (a *attempt) seconds() string { return " -z " + strconv.Itoa(a.Settings.Seconds) }

// load is a case of one run of `warren perf` for some time.
func load(ctx context.Context, a *attempt) (err error) {
	b, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	args := a.one.args[a.peer.name]
	result, err := perfOn[perf.Result](ctx, a, b, args+a.seconds())
	if err != nil {
		return err
	}
	a.add(metricRate, result.ReceivedRate)
	a.add(metricClient, result.ClientCPU/1e3)
	if result.ConfirmLatency.Count > 0 {
		a.add(metricConfirm, result.ConfirmLatency.Median)
	}
	if strings.Contains(args, " -r ") {
		a.add(metricP50, result.Latency.Median)
		a.add(metricP99, result.Latency.P99)
	}
	if result.Broker != nil {
		a.add(metricCPU, result.Broker.CPUPerMessage/1e3)
		a.add(metricResident, float64(result.Broker.ResidentPeak)/1e6)
		if strings.Contains(args, "persistent") {
			a.add(metricWritten, result.Broker.WrittenPerMessage)
		}
	}
	if a.one.traced && a.round == 0 {
		return a.trace(ctx, b)
	}
	return nil
}

// backlog fills a queue without a consumer and then drains it.
func backlog(ctx context.Context, a *attempt) (err error) {
	b, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	flags, count, _ := strings.Cut(a.one.args[a.peer.name], " -C ")
	flags += " -u backlog --auto-delete false"
	produce, consume := "", " -a"
	if strings.Contains(flags, "persistent") {
		produce, consume = " -c 1000", " -q 1000"
	}
	// A NATS stream's consumer is made by the first run: it must know how acks will be.
	both := flags
	if a.peer.scheme == "nats" {
		both += consume
	}
	fill, err := perfOn[perf.Result](ctx, a, b, both+produce+" -x 1 -y 0 -C "+count)
	if err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	drain, err := perfOn[perf.Result](ctx, a, b, flags+consume+" -x 0 -y 1 -D "+count)
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	want, err := strconv.ParseUint(count, 10, 64)
	if err == nil && drain.Received != want {
		err = fmt.Errorf("%d of %d messages came back", drain.Received, want)
	}
	if err != nil {
		return err
	}
	a.add(metricCount, float64(want))
	a.add(metricFill, fill.SentRate)
	a.add(metricDrain, drain.ReceivedRate)
	if fill.Broker != nil && drain.Broker != nil {
		messages := float64(want)
		a.add(metricCPU, (fill.Broker.CPUSeconds+drain.Broker.CPUSeconds)/messages*1e6)
		a.add(metricResident, float64(drain.Broker.ResidentPeak)/1e6)
		a.add(metricWritten, fill.Broker.WrittenPerMessage+drain.Broker.WrittenPerMessage)
	}
	return nil
}

// restart declares many queues and starts the broker again.
func restart(ctx context.Context, a *attempt) (err error) {
	b, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if b != nil {
			err = errors.Join(err, b.stop())
		}
	}()
	empty, err := b.resident()
	if err != nil {
		return err
	}
	args := a.one.args[a.peer.name]
	vhosts, err := vhostsOf(args)
	if err != nil {
		return err
	}
	if err := a.peer.addVHosts(ctx, b, vhosts); err != nil {
		return fmt.Errorf("add %d vhosts: %w", vhosts, err)
	}
	declared, err := runPerf[perf.DeclareResult](ctx, a, append([]string{
		"perf", "-h", b.uri() + "/" + vhostName,
	}, strings.Fields(args)...))
	if err != nil {
		return err
	}
	stopped := b.stop()
	b = nil
	if stopped != nil {
		return stopped
	}
	if b, err = startBroker(ctx, a.peer, a.dir); err != nil {
		return fmt.Errorf("start again: %w", err)
	}
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	full, err := b.resident()
	if err != nil {
		return err
	}
	queues := float64(declared.Queues)
	a.add(metricQueues, queues)
	a.add(metricDeclare, declared.Seconds)
	a.add(metricStart, b.accepted.Seconds())
	a.add(metricPerQueue, (float64(full)-float64(empty))/queues/(1<<10))
	a.add(metricIdle, float64(full)/1e6)
	return nil
}

// churn lets queues or connections come and go.
func churn(ctx context.Context, a *attempt) (err error) {
	b, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	result, err := perfOn[perf.ChurnResult](ctx, a, b, a.one.args[a.peer.name]+a.seconds())
	if err != nil {
		return err
	}
	if result.Pairs == 0 {
		return errors.New("not one came and went")
	}
	a.add(metricPairs, result.Rate)
	a.add(metricPairCPU, result.CPUPerPair/1e3)
	a.add(metricPairOwn, result.ClientCPU/1e3)
	return nil
}

// light measures a broker that has nothing to do, then with idle connections.
func light(ctx context.Context, a *attempt) (err error) {
	b, err := a.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	resident, err := b.resident()
	if err != nil {
		return err
	}
	a.add(metricFirst, float64(b.accepted.Microseconds())/1e3)
	a.add(metricIdle, float64(resident)/1e6)
	result, err := perfOn[perf.IdleResult](ctx, a, b, a.one.args[a.peer.name])
	if err != nil {
		return err
	}
	a.add(metricPerConn, result.PerConnection/(1<<10))
	return nil
}

// bare measures what no broker can avoid: the disk and the loopback, each by itself.
func (a *attempt) bare(ctx context.Context) error {
	length := time.Duration(a.Settings.Seconds) * time.Second / 2
	disk, direct, err := bareDisk(a.dir, length)
	if err != nil {
		return err
	}
	if !direct {
		a.note("the file system refuses O_DIRECT: the bare disk is measured through the cache")
	}
	address, stop, err := startEcho(ctx)
	if err != nil {
		return err
	}
	loop, err := bareLoopback(address, length)
	if err = errors.Join(err, stop()); err != nil {
		return err
	}
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	a.add(metricDisk, micros(disk))
	a.add(metricLoopback, micros(loop))
	a.add(metricConfirm, micros(disk+loop))
	return nil
}
