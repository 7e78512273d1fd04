package perf

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"
)

// idleBufSize is enough for a handshake, and for what an idle connection may be told.
const idleBufSize = 8 << 10

// IdleConnectionsMax bounds the connections of Idle: there are not more ports for one address.
const IdleConnectionsMax = 60_000

// IdleOptions says how many connections to open.
type IdleOptions struct {
	// URI is the broker, as in Options.
	URI string
	// Connections is their number; each has one open channel and does nothing.
	Connections int
	// Settle is how long to wait before the memory is measured, with no connection open and
	// with all: brokers tidy up after a handshake. Default: three seconds.
	Settle time.Duration
	// Hold is how long to keep them open after the measurement.
	Hold time.Duration
	// BrokerPIDs are the broker's processes, as in Options.
	BrokerPIDs []int
	// Measured is called with the result, before holding begins. Default: none.
	Measured func(*IdleResult) error
}

// IdleResult is what idle connections cost.
type IdleResult struct {
	Connections int     `json:"connections"`
	OpenSeconds float64 `json:"open_seconds"`
	// Resident memory of the broker in bytes, 0 if no processes were given.
	ResidentBefore uint64 `json:"resident_before_bytes"`
	ResidentAfter  uint64 `json:"resident_after_bytes"`
	// PerConnection is the difference for each connection; the kernel's part is not in it.
	PerConnection float64 `json:"resident_per_connection_bytes"`
}

// Idle opens connections that do nothing, measures the broker's memory without and with them,
// and holds them. When ctx ends, holding ends.
func Idle(ctx context.Context, o IdleOptions) (*IdleResult, error) {
	if err := within("connections", o.Connections, IdleConnectionsMax); err != nil {
		return nil, fmt.Errorf("perf: options: %w", err)
	}
	t, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	if o.Settle == 0 {
		o.Settle = 3 * time.Second
	}
	var meter *Meter
	if len(o.BrokerPIDs) > 0 {
		if meter, err = NewMeter(o.BrokerPIDs); err != nil {
			return nil, err
		}
	}
	res := &IdleResult{Connections: o.Connections}
	if res.ResidentBefore, err = settled(ctx, meter, o.Settle); err != nil {
		return nil, err
	}
	conns, err := openIdle(ctx, t, o.Connections, res)
	defer hangUpAll(conns)
	if err != nil {
		return nil, err
	}
	if res.ResidentAfter, err = settled(ctx, meter, o.Settle); err != nil {
		return nil, err
	}
	grown := float64(res.ResidentAfter) - float64(res.ResidentBefore)
	res.PerConnection = grown / float64(max(1, o.Connections))
	if o.Measured != nil {
		if err := o.Measured(res); err != nil {
			return nil, err
		}
	}
	wait(ctx, o.Hold)
	return res, nil
}

func openIdle(ctx context.Context, t target, count int, res *IdleResult) ([]*conn, error) {
	start := time.Now()
	conns := make([]*conn, count)
	err := forAll(count, func(n int) (err error) {
		conns[n], err = dial(ctx, new(net.Dialer).DialContext, t, idleBufSize)
		return err
	})
	res.OpenSeconds = time.Since(start).Seconds()
	return conns, err
}

// settled waits, and returns the resident memory then; without a meter, 0 at once.
func settled(ctx context.Context, m *Meter, after time.Duration) (uint64, error) {
	if m == nil {
		return 0, nil
	}
	wait(ctx, after)
	u, err := m.Read()
	return u.Resident, err
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// WriteJSON writes the result as one JSON object. Units are in the names.
func (r *IdleResult) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// WriteText writes the result for people.
func (r *IdleResult) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d idle connections, opened in %.3f s\n",
		r.Connections, r.OpenSeconds)
	if err == nil && r.ResidentBefore > 0 {
		_, err = fmt.Fprintf(w, "broker memory: %s before, %s after, %.1f KiB per connection\n",
			mib(r.ResidentBefore), mib(r.ResidentAfter), r.PerConnection/(1<<10))
	}
	return err
}
