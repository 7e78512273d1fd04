package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/perf"
)

const perfLong = `Publish to a broker and consume from it, and say what came of it: rates,
latencies, loss, duplicates and order. The broker may be any that speaks AMQP 0-9-1, or with a
URI nats://HOST:PORT a NATS server, whose streams then stand for durable queues. The flags
are those of RabbitMQ's PerfTest, its short forms of several letters (-ad, -qa, -qp, -qpf, -qpt,
-qq) included.

Loss, duplicates and order are told by sequence numbers in the bodies: bodies of 16 B or more
allow every check, of 8 B all but latency, of 4 B the same for one producer only; below, nothing
but counts. After the producers have stopped, consumers go on until all has arrived, or nothing
has for five seconds. The exit code is 1 if anything was lost, repeated or out of order.

--broker-pid measures processes of this machine (Linux only) and their children: their CPU time
for each message received, and their memory. Clocks of two machines differ: latency is meaningful
only if producers and consumers run on one.`

const perfExample = `  warren perf -x 1 -y 1 -s 16 -a -z 10
  warren perf -x 1 -y 1 -s 1024 -f persistent -c 1000 -q 500 -u work -ad false -z 30
  warren perf -x 10 -y 10 -qp work-%d -qpf 1 -qpt 10 -r 1000 -z 60 --json
  warren perf --connections 5000 --hold 60 --broker-pid "$(pidof warren)"`

// perfShorts are PerfTest's short flags of several letters, which pflag does not know.
var perfShorts = map[string]string{
	"-ad": "--auto-delete", "-qa": "--queue-args", "-qp": "--queue-pattern",
	"-qpf": "--queue-pattern-from", "-qpt": "--queue-pattern-to", "-qq": "--quorum-queue",
}

// modePersistent is the message flag that also has queues declared durable.
const modePersistent = "persistent"

// perfFlags are the flags of `warren perf` that are not options of a run as they stand.
type perfFlags struct {
	options perf.Options
	perfModes
	time, interval seconds
	modes          []string
	autoDelete     string
	queueArguments string
	quorum, json   bool
}

func newPerfCommand() *cobra.Command {
	f := &perfFlags{}
	c := &cobra.Command{
		Use:                "perf",
		Short:              "Load a broker and measure it",
		Long:               perfLong,
		Example:            perfExample,
		DisableFlagParsing: true, // RunE parses, after expanding PerfTest's short forms
	}
	f.register(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		c.DisableFlagParsing = false
		if err := c.ParseFlags(expandShorts(args)); err != nil {
			return c.FlagErrorFunc()(c, err)
		}
		if help, _ := c.Flags().GetBool("help"); help {
			return c.Help()
		}
		if extra := c.Flags().Args(); len(extra) > 0 {
			return usageError("perf: an argument without a flag: %q", extra[0])
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return f.run(ctx, c)
	}
	return c
}

func expandShorts(args []string) []string {
	expanded := make([]string, len(args))
	for i, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		long, ok := perfShorts[name]
		if !ok {
			long = name
		}
		if assigned {
			long += "=" + value
		}
		expanded[i] = long
	}
	return expanded
}

func (f *perfFlags) register(c *cobra.Command) {
	flags := c.Flags()
	o, p := &f.options, &f.options.Producers
	flags.BoolP("help", "?", false, "show this help")
	flags.StringVarP(&o.URI, "uri", "h", "amqp://localhost",
		"the broker: amqp://user:password@host:port/vhost")
	flags.StringVarP(&o.ID, "id", "d", "",
		"name of this run; processes that share messages need the same")
	flags.VarP(&f.time, "time", "z", "how long to produce, in seconds (default no limit)")
	flags.VarP(&f.interval, "interval", "i", "seconds between two lines (default 1)")

	flags.IntVarP(&p.Count, "producers", "x", 1, "number of producers, each with its connection")
	flags.IntVarP(&p.Size, "size", "s", 16, "size of message bodies in bytes")
	flags.IntVarP(&p.Confirm, "confirm", "c", 0,
		"publisher confirms, with so many messages unconfirmed at most")
	flags.StringSliceVarP(&f.modes, "flag", "f", nil,
		"message flag: persistent, mandatory; may be repeated")
	flags.Float64VarP(&p.Rate, "rate", "r", 0,
		"messages per second of each producer (default no limit)")
	flags.Uint64VarP(&p.Messages, "pmessages", "C", 0,
		"messages of each producer (default no limit)")
	flags.IntVar(&p.WriteBatch, "write-batch", 0,
		"most messages in one write (default 64 KiB worth)")
	f.registerConsumers(c)
	f.registerTopology(c)

	flags.IntSliceVar(&o.BrokerPIDs, "broker-pid", nil,
		"processes of the broker, to measure what it spends")
	flags.BoolVar(&f.json, "json", false,
		"print the summary as JSON, and the other lines to stderr")
	f.perfModes.register(c)
}

func (f *perfFlags) registerConsumers(c *cobra.Command) {
	flags, y := c.Flags(), &f.options.Consumers
	flags.IntVarP(&y.Count, "consumers", "y", 1, "number of consumers, each with its connection")
	flags.BoolVarP(&y.AutoAck, "autoack", "a", false, "consume without acknowledgements")
	flags.IntVarP(&y.MultiAckEvery, "multi-ack-every", "A", 0,
		"acknowledge every so many messages (default each read)")
	flags.IntVarP(&y.Prefetch, "qos", "q", 0, "prefetch count of each consumer (default no limit)")
	flags.Float64VarP(&y.Rate, "consumer-rate", "R", 0,
		"most messages per second of each consumer (default no limit)")
	flags.Uint64VarP(&y.Messages, "cmessages", "D", 0,
		"messages of each consumer (default no limit)")
}

func (f *perfFlags) registerTopology(c *cobra.Command) {
	flags, t := c.Flags(), &f.options.Topology
	flags.StringVarP(&t.Exchange, "exchange", "e", "",
		"exchange to publish to (default one named like its type)")
	flags.StringVarP(&t.ExchangeType, "type", "t", "direct", "type of the exchange")
	flags.StringVarP(&t.RoutingKey, "routing-key", "k", "",
		"routing key (default the name of the queue)")
	flags.StringVarP(&t.Queue, "queue", "u", "",
		"queue of all consumers (default an exclusive one for each)")
	flags.StringVar(&t.QueuePattern, "queue-pattern", "",
		"names of several queues, with a %d for the number")
	flags.IntVar(&t.QueueFrom, "queue-pattern-from", 1, "first number of the queue pattern")
	flags.IntVar(&t.QueueTo, "queue-pattern-to", 1, "last number of the queue pattern")
	flags.StringVar(&f.queueArguments, "queue-args", "",
		"arguments of queues, like x-max-length=10,x-max-priority=3")
	flags.StringVar(&f.autoDelete, "auto-delete", "true",
		"whether queues are deleted with their last consumer")
	flags.BoolVar(&f.quorum, "quorum-queue", false,
		"declare quorum queues, durable and not auto-deleted")
	flags.IntVar(&t.Patterns, "patterns", 0,
		"bind so many wildcard patterns to the queues of a pattern; each message matches one")
	flags.IntVar(&t.PatternKeys, "pattern-keys", 0,
		"most routing keys for --patterns (default one for each)")
	flags.BoolVarP(&t.Predeclared, "predeclared", "p", false,
		"declare nothing: exchange and queue exist")
}

func (f *perfFlags) run(ctx context.Context, c *cobra.Command) error {
	if mode := f.chosen(c); mode != nil {
		return f.runMode(ctx, c, mode)
	}
	if err := f.complete(c.Flags().Changed("exchange")); err != nil {
		return err
	}
	lines := c.OutOrStdout()
	if f.json {
		lines = c.ErrOrStderr()
	}
	var lineErr error
	f.options.Progress = func(s perf.Sample) {
		lineErr = errors.Join(lineErr, s.WriteLine(lines))
	}
	if err := f.options.Validate(); err != nil {
		return &exitError{exitUsage, err}
	}
	result, err := perf.Run(ctx, f.options)
	if result == nil {
		return err
	}
	err = errors.Join(err, f.print(c, result))
	if result.Check.Failed() {
		err = errors.Join(err, errors.New("perf: messages were lost, repeated or out of order"))
	}
	return errors.Join(err, lineErr)
}

// complete turns flags into options, where PerfTest's meaning is not ours.
func (f *perfFlags) complete(exchangeGiven bool) error {
	o := &f.options
	o.Time, o.Interval = time.Duration(f.time), time.Duration(f.interval)
	for _, mode := range f.modes {
		switch mode {
		case modePersistent:
			o.Producers.Persistent = true
		case "mandatory":
			o.Producers.Mandatory = true
		default:
			return usageError("perf: flag %q: want persistent or mandatory", mode)
		}
	}
	if !exchangeGiven {
		o.Topology.Exchange = o.Topology.ExchangeType
	}
	autoDelete, err := strconv.ParseBool(f.autoDelete)
	if err != nil {
		return usageError("perf: auto-delete %q: want true or false", f.autoDelete)
	}
	o.Topology.KeepQueues = !autoDelete
	arguments, err := parseQueueArguments(f.queueArguments)
	if err != nil {
		return err
	}
	if f.quorum {
		arguments["x-queue-type"] = "quorum"
		o.Topology.KeepQueues, o.Topology.Durable = true, true
	}
	if len(arguments) > 0 {
		o.Topology.QueueArguments = amqp.NewTable(arguments)
	}
	return nil
}

// parseQueueArguments reads key=value,key=value; numbers and booleans are sent as such.
func parseQueueArguments(text string) (map[string]any, error) {
	arguments := make(map[string]any)
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		key, value, ok := strings.Cut(part, "=")
		if !ok || key == "" {
			return nil, usageError("perf: queue argument %q: want key=value", part)
		}
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			arguments[key] = n
		} else if value == "true" || value == "false" {
			arguments[key] = value == "true"
		} else {
			arguments[key] = value
		}
	}
	return arguments, nil
}

// seconds is a flag in seconds, as PerfTest has it; with a unit it is a Go duration.
type seconds time.Duration

func (s *seconds) Set(text string) error {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		*s = seconds(n * float64(time.Second))
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q: want a number of seconds", text)
	}
	*s = seconds(d)
	return nil
}

func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

func (s *seconds) Type() string { return "seconds" }
