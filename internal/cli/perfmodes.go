package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/internal/perf"
)

// perfModes are what `warren perf` does in place of a load.
type perfModes struct {
	idle         perf.IdleOptions
	churn        perf.ChurnOptions
	declare      perf.DeclareOptions
	hold, settle seconds
}

func (m *perfModes) register(c *cobra.Command) {
	flags := c.Flags()
	flags.IntVar(&m.idle.Connections, "connections", 0,
		"open so many idle connections instead of a load")
	flags.Var(&m.hold, "hold", "seconds to hold idle connections open once they are measured")
	flags.Var(&m.settle, "settle", "seconds to wait before memory is measured (default 3)")
	flags.StringVar(&m.churn.Kind, "churn", "",
		"open and close connections, or declare and delete queues, instead of a load:\n"+
			"connections or queues; as many at a time as there are --producers")
	flags.IntVar(&m.declare.Queues, "declare", 0,
		"declare so many durable queues, in each vhost, instead of a load, and leave them")
	flags.IntVar(&m.declare.VHosts, "declare-vhosts", 0,
		"number of vhosts for --declare; %d in the vhost of the URI is replaced by 1 and so on")
}

// perfMode carries out one of them; its result can be printed.
type perfMode func(ctx context.Context) (perfPrinter, error)

type perfPrinter interface {
	WriteJSON(w io.Writer) error
	WriteText(w io.Writer) error
}

// chosen returns the mode that the flags choose; nil is a load.
func (f *perfFlags) chosen(c *cobra.Command) perfMode {
	m := &f.perfModes
	switch {
	case m.idle.Connections > 0:
		return func(ctx context.Context) (perfPrinter, error) {
			m.idle.URI, m.idle.BrokerPIDs = f.options.URI, f.options.BrokerPIDs
			m.idle.Hold, m.idle.Settle = time.Duration(m.hold), time.Duration(m.settle)
			m.idle.Measured = func(r *perf.IdleResult) error { return f.print(c, r) }
			_, err := perf.Idle(ctx, m.idle)
			return nil, err // printed before holding
		}
	case m.churn.Kind != "":
		return func(ctx context.Context) (perfPrinter, error) {
			m.churn.URI, m.churn.BrokerPIDs = f.options.URI, f.options.BrokerPIDs
			m.churn.Clients, m.churn.Time = f.options.Producers.Count, time.Duration(f.time)
			for _, mode := range f.modes {
				m.churn.Durable = m.churn.Durable || mode == modePersistent
			}
			return perf.Churn(ctx, m.churn)
		}
	case m.declare.Queues > 0:
		return func(ctx context.Context) (perfPrinter, error) {
			m.declare.URI = f.options.URI
			return perf.Declare(ctx, m.declare)
		}
	}
	return nil
}

func (f *perfFlags) runMode(ctx context.Context, c *cobra.Command, mode perfMode) error {
	result, err := mode(ctx)
	if err != nil || result == nil {
		return err
	}
	return f.print(c, result)
}

func (f *perfFlags) print(c *cobra.Command, r perfPrinter) error {
	if f.json {
		return r.WriteJSON(c.OutOrStdout())
	}
	return r.WriteText(c.OutOrStdout())
}
