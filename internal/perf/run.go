package perf

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"time"
)

// errBlocked says that a broker takes nothing more, as with a memory or disk alarm.
var errBlocked = errors.New("perf: the broker has stopped reading what is published")

const (
	// drainPoll is how often a run whose producers have stopped looks whether all arrived.
	drainPoll = 5 * time.Millisecond
	// togetherMax is how many connections are opened or closed at a time.
	togetherMax = 16
)

// run is one load run. Its fields belong to the goroutine that called Run.
type run struct {
	options   Options
	plan      plan
	clock     clock
	control   *conn // nil for a relay
	logs      []*queueLog
	producers []*producer
	consumers []*consumer
	meter     *Meter // nil: none
	before    Usage
	ownBefore time.Duration

	producing sync.WaitGroup
	consuming sync.WaitGroup
	failures  chan error // capacity for one of each producer and consumer

	started   time.Time
	startedAt int64     // the same by the clock of the stamps
	stopped   time.Time // when the producers had sent all; zero: not yet
	sampler   sampler
	stops     struct{ producers, consumers bool }
	moved     progress
	drained   bool // consumers were given the time to receive all
	err       error
}

// Run carries out a load run: it opens all connections, declares, produces and consumes until
// a limit of the options is reached or ctx ends, and then lets the consumers receive what is on
// its way. The result is nil only if the run could not start. An error that ended the run early
// is returned beside the result of what happened until then.
func Run(ctx context.Context, o Options) (*Result, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := &run{options: o, plan: newPlan(o), clock: newClock()}
	defer r.close()
	if err := r.open(ctx); err != nil {
		hangUpAll(r.conns())
		return nil, err
	}
	if err := r.begin(); err != nil {
		return nil, err
	}
	r.watch(ctx)
	result, err := r.result()
	if r.err == nil {
		hangUpAll(r.conns())
	}
	return result, errors.Join(r.err, err)
}

// runOf derives the run number in stamps from the ID, so that processes can share it.
func runOf(id string) uint16 {
	h := fnv.New32a()
	h.Write([]byte(id))
	sum := h.Sum32()
	return uint16(sum>>16) ^ uint16(sum)
}

func (r *run) open(ctx context.Context) error {
	t, err := parseURI(r.options.URI)
	if err != nil {
		return err
	}
	if len(r.options.BrokerPIDs) > 0 {
		if r.meter, err = NewMeter(r.options.BrokerPIDs); err != nil {
			return err
		}
	}
	if t.scheme != schemeRelay {
		if r.control, err = dial(ctx, r.options.Dial, t, controlSize); err != nil {
			return err
		}
		if err := t.dialect.declareShared(r.control, r.plan, r.options); err != nil {
			return err
		}
	}
	origin := stamp{run: runOf(r.options.ID)}
	for i := range r.plan.queues {
		if i > 0 && r.plan.patterns.count > 0 {
			break // no queue gets all sequences of a producer, but each goes to one queue
		}
		r.logs = append(r.logs, newQueueLog(origin.run, r.options.Producers))
	}
	r.consumers = make([]*consumer, r.options.Consumers.Count)
	err = forAll(len(r.consumers), func(n int) (err error) {
		r.consumers[n], err = newConsumer(ctx, r.options, t, r.plan, n, r.logs)
		return err
	})
	if err != nil {
		return err
	}
	r.producers = make([]*producer, r.options.Producers.Count)
	return forAll(len(r.producers), func(n int) (err error) {
		r.producers[n], err = newProducer(ctx, r.options, t, r.plan, n, origin)
		return err
	})
}

// forAll calls do for 0 to count-1, several at a time, and returns the first error.
func forAll(count int, do func(n int) error) error {
	var (
		group sync.WaitGroup
		once  sync.Once
		first error
		free  = make(chan struct{}, togetherMax)
	)
	for n := range count {
		free <- struct{}{} // blocks while enough are busy
		group.Go(func() {
			defer func() { <-free }()
			if err := do(n); err != nil {
				once.Do(func() { first = err })
			}
		})
	}
	group.Wait()
	return first
}

// begin starts the measurement, and all goroutines.
func (r *run) begin() (err error) {
	if r.meter != nil {
		if r.before, err = r.meter.Read(); err != nil {
			return err
		}
	}
	r.ownBefore, _ = OwnCPU()
	r.failures = make(chan error, len(r.producers)+len(r.consumers))
	r.started, r.startedAt = time.Now(), r.clock.now()
	r.sampler = newSampler(r.started)
	for _, c := range r.consumers {
		c.start(r.clock)
		r.launch(&r.consuming, c.run)
	}
	for i, p := range r.producers {
		var offset time.Duration
		if rate := r.options.Producers.Rate; rate > 0 {
			offset = time.Duration(float64(i) * 1e9 / rate / float64(len(r.producers)))
		}
		p.start(r.clock, offset)
		r.launch(&r.producing, p.run)
	}
	return nil
}

func (r *run) launch(group *sync.WaitGroup, work func() error) {
	group.Go(func() {
		if err := work(); err != nil {
			r.failures <- err
		}
	})
}

// watch samples, enforces the limits, and returns when all producers and consumers are done.
func (r *run) watch(ctx context.Context) {
	produced := done(&r.producing, len(r.producers))
	consumed := done(&r.consuming, len(r.consumers))
	samples := time.NewTicker(r.options.Interval)
	defer samples.Stop()
	polls := time.NewTicker(drainPoll)
	defer polls.Stop()
	var timeout <-chan time.Time
	if r.options.Time > 0 {
		timer := time.NewTimer(r.options.Time)
		defer timer.Stop()
		timeout = timer.C
	}
	interrupted := ctx.Done()
	for consumed != nil || produced != nil {
		select {
		case <-interrupted:
			interrupted = nil
			r.stopProducers()
		case <-timeout:
			r.stopProducers()
		case err := <-r.failures:
			r.abort(err)
		case <-produced:
			produced = nil
			r.stopped = time.Now()
		case <-consumed:
			consumed = nil
			r.stopProducers() // there is nobody left to produce for
		case <-samples.C:
			r.options.Progress(r.sampler.take(r, time.Now()))
		case <-polls.C:
			r.poll(produced == nil)
		}
	}
	select {
	case err := <-r.failures:
		r.abort(err)
	default:
	}
}

// done returns a chan that is closed when all of a group are; nil for an empty group.
func done(group *sync.WaitGroup, count int) <-chan struct{} {
	if count == 0 {
		return nil
	}
	over := make(chan struct{})
	go func() { // ends with the group
		group.Wait()
		close(over)
	}()
	return over
}

// poll ends the run when the producers are done and everything has arrived, or nothing more
// does.
func (r *run) poll(produced bool) {
	if !r.stops.producers && !(produced && len(r.producers) > 0) {
		return
	}
	idle := r.idle(time.Now()) > r.options.DrainIdle
	switch {
	case !produced && idle:
		r.abort(errBlocked)
	case produced && (idle || r.complete()):
		r.drained = len(r.producers) > 0 && r.options.Consumers.Messages == 0
		r.stopConsumers()
	}
}

// progress is what moved last, and when.
type progress struct {
	count uint64
	since time.Time
}

// idle returns for how long nothing has been sent, confirmed or received.
func (r *run) idle(now time.Time) time.Duration {
	var count uint64
	for _, p := range r.producers {
		sent, confirmed, nacked, returned := p.counts()
		count += sent + confirmed + nacked + returned
	}
	for _, l := range r.logs {
		c := l.counts()
		count += c.received + c.foreign
	}
	if count != r.moved.count || r.moved.since.IsZero() {
		r.moved = progress{count: count, since: now}
	}
	return now.Sub(r.moved.since)
}

// complete reports whether all that was published has been received.
func (r *run) complete() bool {
	for i, l := range r.logs {
		if len(r.consumers) > 0 && r.lost(i, l) > 0 {
			return false
		}
	}
	return true
}

// lost is how many messages a queue should have given out and has not.
func (r *run) lost(queue int, l *queueLog) uint64 {
	var want, got uint64
	for _, n := range r.plan.queues[queue].producers {
		sent, _, nacked, returned := r.producers[n].counts()
		want += sent - min(sent, nacked+returned)
		if l.checks {
			got += l.distinct(n)
		}
	}
	if !l.checks {
		got = l.counts().received
	}
	return want - min(want, got)
}

func (r *run) stopProducers() {
	if r.stops.producers {
		return
	}
	r.stops.producers = true
	for _, p := range r.producers {
		p.halt()
	}
}

func (r *run) stopConsumers() {
	if r.stops.consumers {
		return
	}
	r.stops.consumers = true
	for _, c := range r.consumers {
		c.halt()
	}
}

// abort ends the run at once. Only the first reason counts: the others follow from it.
func (r *run) abort(err error) {
	if r.err != nil {
		return
	}
	r.err = err
	r.stopProducers()
	r.stopConsumers()
	for _, p := range r.producers {
		_ = p.conn.SetDeadline(past) // wakes publish and listen
	}
}

// close frees all connections, closed or not.
func (r *run) close() {
	for _, c := range r.conns() {
		_ = c.Close()
	}
}

func (r *run) conns() (conns []*conn) {
	for _, p := range r.producers {
		if p != nil {
			conns = append(conns, p.conn)
		}
	}
	for _, c := range r.consumers {
		if c != nil {
			conns = append(conns, c.conn)
		}
	}
	if r.control != nil {
		conns = append(conns, r.control)
	}
	return conns
}
