package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/perf"
)

// perfCommand is `warren perf` with its output in buffers.
func perfCommand(args ...string) (c *cobra.Command, stdout, stderr *bytes.Buffer) {
	c = newPerfCommand()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	c.SetOut(stdout)
	c.SetErr(stderr)
	c.SetArgs(args)
	c.SilenceUsage, c.SilenceErrors = true, true
	return c, stdout, stderr
}

func TestPerfTakesTheFlagsOfPerfTest(t *testing.T) {
	args := "-h amqp://u:p@h:1/v -x 2 -y 3 -s 100 -c 50 -q 20 -a -A 10 -f persistent -f mandatory" +
		" -u q -e ex -t topic -k key -r 1000.5 -R 10 -z 1.5 -C 7 -D 8 -d name -p -ad false" +
		" -qa x-max-length=10,x-overflow=reject-publish,x-single-active-consumer=true" +
		" --broker-pid 1,2 -i 2"
	f := &perfFlags{}
	c := &cobra.Command{Use: "perf"}
	f.register(c)
	if err := c.ParseFlags(expandShorts(strings.Fields(args))); err != nil {
		t.Fatal(err)
	}
	if err := f.complete(c.Flags().Changed("exchange")); err != nil {
		t.Fatal(err)
	}
	want := perf.Options{
		URI: "amqp://u:p@h:1/v", ID: "name", Time: 1500 * time.Millisecond,
		Interval: 2 * time.Second, BrokerPIDs: []int{1, 2},
		Topology: perf.Topology{
			Exchange: "ex", ExchangeType: "topic", RoutingKey: "key", Queue: "q",
			QueueFrom: 1, QueueTo: 1, KeepQueues: true, Predeclared: true,
			QueueArguments: amqp.NewTable(map[string]any{
				"x-max-length": int64(10), "x-overflow": "reject-publish",
				"x-single-active-consumer": true,
			}),
		},
		Producers: perf.ProducerOptions{
			Count: 2, Size: 100, Confirm: 50, Persistent: true, Mandatory: true,
			Rate: 1000.5, Messages: 7,
		},
		Consumers: perf.ConsumerOptions{
			Count: 3, AutoAck: true, MultiAckEvery: 10, Prefetch: 20, Rate: 10, Messages: 8,
		},
	}
	if !reflect.DeepEqual(f.options, want) {
		t.Errorf("options:\n%+v\nwant:\n%+v", f.options, want)
	}
}

func TestPerfNamesTheExchangeLikeItsType(t *testing.T) {
	for args, want := range map[string]string{
		"": "direct", "-t fanout": "fanout", "-t topic -e mine": "mine", "--exchange=": "",
	} {
		f := &perfFlags{}
		c := &cobra.Command{Use: "perf"}
		f.register(c)
		if err := c.ParseFlags(expandShorts(strings.Fields(args))); err != nil {
			t.Fatal(err)
		}
		if err := f.complete(c.Flags().Changed("exchange")); err != nil {
			t.Fatal(err)
		}
		if got := f.options.Topology.Exchange; got != want {
			t.Errorf("%q: exchange %q, want %q", args, got, want)
		}
	}
}

func TestPerfExpandsShortsOfSeveralLetters(t *testing.T) {
	got := expandShorts(strings.Fields("-qp q-%d -qpf=1 -qpt 10 -ad=false -q 5 -a -x2 -qa a=b"))
	want := strings.Fields("--queue-pattern q-%d --queue-pattern-from=1 --queue-pattern-to 10" +
		" --auto-delete=false -q 5 -a -x2 --queue-args a=b")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestPerfRefusesMistakesOfUsage(t *testing.T) {
	for _, args := range []string{
		"-f durable", "-ad maybe", "-qa x", "-qa =1", "-x -1", "-z soon", "extra",
		"-x 0 -y 0", "-h http://x",
	} {
		c, _, _ := perfCommand(strings.Fields(args)...)
		err := c.Execute()
		var exit *exitError
		known := errors.As(err, &exit) && exit.code == exitUsage
		if err == nil || !known && !strings.Contains(err.Error(), "want") {
			t.Errorf("%q: error %v, want one of usage", args, err)
		}
	}
}

func TestPerfHelpListsTheFlags(t *testing.T) {
	c, stdout, _ := perfCommand("--help")
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-x, --producers", "-h, --uri", "--broker-pid", "-?, --help"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help lacks %q", want)
		}
	}
}

func TestPerfPrintsTheResult(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- perf.Relay(l) }()
	args := []string{"-h", "relay://" + l.Addr().String(), "-a", "-C", "1000", "-i", "0.001"}

	c, stdout, stderr := perfCommand(append(args, "--json")...)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	var result perf.Result
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil || result.Received != 1000 {
		t.Errorf("received %d, %v, want 1000; stderr:\n%s", result.Received, err, stderr)
	}
	c, stdout, _ = perfCommand(args...)
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if want := "lost: 0, duplicates: 0, out of order: 0"; !strings.Contains(stdout.String(), want) {
		t.Errorf("output lacks %q:\n%s", want, stdout)
	}
	if err := errors.Join(l.Close(), <-ended); err != nil {
		t.Error(err)
	}
}
