package perf

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// declareWindow is how many declarations of one connection are on their way without an answer.
const declareWindow = 100

// DeclareMax bounds the queues of each vhost.
const DeclareMax = 1_000_000

// DeclareOptions says how many queues to declare and leave behind.
type DeclareOptions struct {
	// URI is the broker, as in Options. A %d in its vhost, written as it is, stands for the
	// numbers 1 to VHosts.
	URI string
	// VHosts is the number of vhosts, which must exist; 0 is one, as the URI has it.
	VHosts int
	// Queues is how many are declared in each vhost: durable, named queue-1 and so on.
	Queues int
}

// DeclareResult says how long it took.
type DeclareResult struct {
	Queues  int     `json:"queues"` // in all vhosts
	Seconds float64 `json:"seconds"`
}

// Declare declares durable queues, over one connection for each vhost, several at a time.
func Declare(ctx context.Context, o DeclareOptions) (*DeclareResult, error) {
	err := errors.Join(within("queues", o.Queues, DeclareMax),
		within("vhosts", o.VHosts, DeclareMax))
	if err != nil {
		return nil, fmt.Errorf("perf: options: %w", err)
	}
	before, after, numbered := strings.Cut(o.URI, "%d")
	start := time.Now()
	count := max(1, o.VHosts)
	err = forAll(count, func(n int) error {
		uri := o.URI
		if numbered {
			uri = fmt.Sprintf("%s%d%s", before, n+1, after)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := declareQueues(ctx, uri, o.Queues); err != nil {
			return fmt.Errorf("perf: declare in vhost %d: %w", n+1, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &DeclareResult{Queues: count * o.Queues, Seconds: time.Since(start).Seconds()}, nil
}

func declareQueues(ctx context.Context, uri string, count int) error {
	t, err := parseURI(uri)
	if err != nil {
		return err
	}
	if t.scheme != schemeAMQP {
		return errors.New("queues are declared in AMQP")
	}
	c, err := dial(ctx, new(net.Dialer).DialContext, t, controlSize)
	if err != nil {
		return err
	}
	err = c.declareMany(count, declareWindow, amqp.MethodQueueDeclareOk, func(n int) amqp.Method {
		return &amqp.QueueDeclare{Queue: fmt.Sprintf("queue-%d", n+1), Durable: true}
	})
	return errors.Join(err, c.hangUp())
}

// WriteJSON writes the result as one JSON object. Units are in the names.
func (r *DeclareResult) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the result for people.
func (r *DeclareResult) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d durable queues declared in %.3f s\n", r.Queues, r.Seconds)
	return err
}
