package perf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// What may come and go in a churn.
const (
	// ChurnConnections opens a connection, logs in, opens the vhost and closes it again.
	ChurnConnections = "connections"
	// ChurnQueues declares a queue and deletes it again.
	ChurnQueues = "queues"
)

// ChurnOptions says what comes and goes, and how fast.
type ChurnOptions struct {
	// URI is the broker, as in Options.
	URI string
	// Kind is ChurnConnections or ChurnQueues.
	Kind string
	// Clients is how many do it at the same time; each waits for every answer. With queues,
	// each has one connection. 1 to ProducersMax.
	Clients int
	// Durable declares durable queues.
	Durable bool
	// Time is how long. It must be given.
	Time time.Duration
	// BrokerPIDs are the broker's processes, as in Options.
	BrokerPIDs []int
}

// ChurnResult says how many came and went.
type ChurnResult struct {
	Kind    string  `json:"kind"`
	Clients int     `json:"clients"`
	Pairs   uint64  `json:"pairs"` // of coming and going
	Seconds float64 `json:"seconds"`
	// Rate is pairs per second.
	Rate float64 `json:"rate"`
	// CPUPerPair is the broker's CPU time for one in nanoseconds; 0 if no processes were given.
	CPUPerPair float64 `json:"broker_cpu_ns_per_pair"`
	// ClientCPU is the CPU time of this process for one, in nanoseconds.
	ClientCPU float64 `json:"client_cpu_ns_per_pair"`
}

func (o ChurnOptions) validate() error {
	err := within("clients", o.Clients, ProducersMax)
	if o.Clients == 0 || o.Time <= 0 {
		err = errors.Join(err, errors.New("a churn needs clients and time"))
	}
	if o.Kind != ChurnConnections && o.Kind != ChurnQueues {
		err = errors.Join(err, fmt.Errorf("churn of %q: want %s or %s",
			o.Kind, ChurnConnections, ChurnQueues))
	}
	if err != nil {
		return fmt.Errorf("perf: options: %w", err)
	}
	return nil
}

// Churn lets connections or queues come and go for some time, or until ctx ends. The first
// failure of any client ends it.
func Churn(ctx context.Context, o ChurnOptions) (*ChurnResult, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	t, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	if o.Kind == ChurnQueues && t.scheme != schemeAMQP {
		return nil, errors.New("perf: options: queues are declared in AMQP only")
	}
	var before, after Usage
	var meter *Meter
	if len(o.BrokerPIDs) > 0 {
		if meter, err = NewMeter(o.BrokerPIDs); err != nil {
			return nil, err
		}
		if before, err = meter.Read(); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.Time, errChurned)
	defer cancel()
	res := &ChurnResult{Kind: o.Kind, Clients: o.Clients}
	started := time.Now()
	ownBefore, _ := OwnCPU()
	res.Pairs, err = o.churn(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("perf: churn: %w", err)
	}
	ownAfter, _ := OwnCPU()
	res.Seconds = time.Since(started).Seconds()
	res.Rate = float64(res.Pairs) / res.Seconds
	pairs := float64(max(1, res.Pairs))
	res.ClientCPU = float64(ownAfter-ownBefore) / pairs
	if meter != nil {
		if after, err = meter.Read(); err != nil {
			return nil, err
		}
		res.CPUPerPair = float64(after.CPU-before.CPU) / pairs
	}
	return res, nil
}

// errChurned ends a churn as it should end.
var errChurned = errors.New("the time is over")

// churn runs all clients until ctx ends, and counts pairs.
func (o ChurnOptions) churn(ctx context.Context, t target) (uint64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var clients sync.WaitGroup
	var pairs atomic.Uint64
	for n := range o.Clients {
		clients.Go(func() {
			client := churnClient{options: o, target: t, pairs: &pairs}
			var err error
			if o.Kind == ChurnQueues {
				err = client.queues(ctx, fmt.Sprintf("perf-churn-%d", n))
			} else {
				err = client.connections(ctx)
			}
			if err != nil {
				cancel(err)
			}
		})
	}
	clients.Wait()
	err := context.Cause(ctx)
	if !errors.Is(err, errChurned) && !errors.Is(err, context.Canceled) {
		return 0, err
	}
	return pairs.Load(), nil
}

type churnClient struct {
	options ChurnOptions
	target  target
	pairs   *atomic.Uint64
}

// connections opens and closes one after the other. The last one ends as all others do: ctx bounds
// none. A dial that can be cancelled takes a goroutine of its own, and keep-alive four system
// calls: what is measured is the broker.
func (c *churnClient) connections(ctx context.Context) error {
	dialer := net.Dialer{KeepAlive: -1}
	conn := conn{buf: make([]byte, controlSize)}
	for ctx.Err() == nil {
		socket, err := dialer.Dial("tcp", c.target.address)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		if err := conn.begin(socket, c.target); err != nil {
			return err
		}
		if err := conn.hangUp(); err != nil {
			return err
		}
		c.pairs.Add(1)
	}
	return nil
}

func (c *churnClient) queues(ctx context.Context, name string) error {
	conn, err := dial(ctx, new(net.Dialer).DialContext, c.target, controlSize)
	if err != nil {
		return err
	}
	defer func() { _ = conn.hangUp() }()
	declare := &amqp.QueueDeclare{Queue: name, Durable: c.options.Durable}
	remove := &amqp.QueueDelete{Queue: name}
	for ctx.Err() == nil {
		if _, err := conn.declare(declare, amqp.MethodQueueDeclareOk); err != nil {
			return err
		}
		if _, err := conn.declare(remove, amqp.MethodQueueDeleteOk); err != nil {
			return err
		}
		c.pairs.Add(1)
	}
	return nil
}

// WriteJSON writes the result as one JSON object. Units are in the names.
func (r *ChurnResult) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the result for people.
func (r *ChurnResult) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s: %.0f opened and closed each second (%d in %.3f s, %d clients), "+
		"broker CPU %.1f µs and client CPU %.1f µs for each\n", r.Kind, r.Rate, r.Pairs, r.Seconds,
		r.Clients, r.CPUPerPair/1e3, r.ClientCPU/1e3)
	return err
}
