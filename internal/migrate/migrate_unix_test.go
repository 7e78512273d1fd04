//go:build unix

package migrate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/warrentest"
)

// ends are two nodes with clients of their APIs.
type ends struct {
	t              *testing.T
	source, target *warren.Node
	from, to       *apiclient.Client
}

func newEnds(t *testing.T) ends {
	t.Helper()
	e := ends{t: t, source: warrentest.Start(t), target: warrentest.Start(t)}
	e.from, e.to = clientOf(t, e.source), clientOf(t, e.target)
	return e
}

func clientOf(t *testing.T, node *warren.Node) *apiclient.Client {
	t.Helper()
	api, err := apiclient.New(apiclient.Options{
		Dial: func(ctx context.Context) (net.Conn, error) {
			socket := filepath.Join(node.DataDir(), "control.sock")
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

func (e ends) declare(api *apiclient.Client, queue string, arguments apiclient.Object) {
	e.t.Helper()
	err := api.Put(e.t.Context(), apiclient.Path("queues", "/", queue), apiclient.Object{
		"durable": true, "arguments": arguments,
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// fill publishes numbered messages to a queue of the source.
func (e ends) fill(queue string, count int) {
	e.t.Helper()
	client := warrentest.Open(e.t, e.source.Addr())
	var out []byte
	for n := range count {
		out = amqp.AppendMethodFrame(out, 1, &amqp.BasicPublish{RoutingKey: queue})
		out = amqp.AppendContent(out, 1, nil, []byte(fmt.Sprint(n)), 0)
	}
	client.Raw(out)
	// What comes after them on the channel is answered after them.
	client.Call(1, &amqp.ChannelClose{ReplyCode: amqp.ReplySuccess}, amqp.MethodChannelCloseOk)
}

func (e ends) options() Options {
	return Options{
		Source: e.from, Target: e.to,
		SourceAMQP: Endpoint{User: "guest", Password: "guest"},
	}
}

func (e ends) ready(node *warren.Node, queue string) uint64 {
	e.t.Helper()
	at := Endpoint{Address: node.Addr().String(), User: "guest", Password: "guest"}
	c, err := dial(e.t.Context(), at, "/")
	if err != nil {
		e.t.Fatal(err)
	}
	defer c.hangUp()
	n, err := ready(c, queue)
	if err != nil {
		e.t.Fatal(err)
	}
	return n
}

// TestMoreThanAWindowIsMoved, and the user made for it is gone.
func TestMoreThanAWindowIsMoved(t *testing.T) {
	e := newEnds(t)
	const count = 3*window + 7
	e.declare(e.from, "q", nil)
	e.fill("q", count)
	report, err := Run(t.Context(), e.options())
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Queues) != 1 || !report.Queues[0].Agrees() || len(report.Drift) > 0 ||
		report.Queues[0].Moved != count {
		t.Errorf("the report is %+v", report)
	}
	if left, there := e.ready(e.source, "q"), e.ready(e.target, "q"); left != 0 || there != count {
		t.Errorf("%d are left and %d are there", left, there)
	}
	var users []apiclient.Object
	if err := e.to.Get(t.Context(), "/users", &users); err != nil || len(users) != 1 {
		t.Errorf("the users are %v, %v", users, err)
	}
	again, err := Run(t.Context(), e.options())
	if err != nil || len(again.Changes) > 0 || len(again.Queues) > 0 {
		t.Errorf("a second move does %+v, %v", again, err)
	}
}

// TestWhatTheTargetRefusesStays at the source.
func TestWhatTheTargetRefusesStays(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.declare(e.to, "q", apiclient.Object{"x-max-length": 10, "x-overflow": "reject-publish"})
	e.fill("q", 50)
	report, err := Run(t.Context(), e.options())
	if err == nil || !strings.Contains(err.Error(), "is it full?") {
		t.Errorf("the error is %v", err)
	}
	left, there := e.ready(e.source, "q"), e.ready(e.target, "q")
	if left+there != 50 || there < 10 {
		t.Errorf("%d are left, %d are there", left, there)
	}
	if len(report.Warnings) == 0 {
		t.Error("that the queues are not alike is not said")
	}
}

func TestCopiesLeaveTheSourceAsItIs(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 100)
	o := e.options()
	o.Keep = true
	for range 2 { // the second finds everything there
		if _, err := Run(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if left, there := e.ready(e.source, "q"), e.ready(e.target, "q"); left != 100 ||
			there != 100 {
			t.Errorf("%d are left and %d are there", left, there)
		}
	}
	e.fill("q", 1)
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("copies upon copies: %v", err)
	}
}

// TestARehearsalIsNotAddedTo without a word; what was moved is, and so may an operator wish.
func TestARehearsalIsNotAddedTo(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 10)
	rehearsal, real := e.options(), e.options()
	rehearsal.Keep = true
	if _, err := Run(t.Context(), rehearsal); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), real)
	var existing *ExistingError
	if !errors.As(err, &existing) || !strings.Contains(err.Error(), `"q" in vhost "/" has 10`) ||
		report.Stage != Unchanged {
		t.Errorf("messages upon copies: %v, %+v", err, report)
	}
	if left, there := e.ready(e.source, "q"), e.ready(e.target, "q"); left != 10 || there != 10 {
		t.Errorf("%d are left and %d are there", left, there)
	}
	real.AddToExisting = true
	for _, want := range []uint64{20, 23} { // and then on, as they were moved
		if report, err = Run(t.Context(), real); err != nil || report.Stage != Finished {
			t.Errorf("%v, %+v", err, report)
		}
		if there := e.ready(e.target, "q"); there != want {
			t.Errorf("%d are there, want %d", there, want)
		}
		real.AddToExisting = false
		e.fill("q", 3)
	}
}

// TestAnImportThatFailsReportsNothingElse.
func TestAnImportThatFailsReportsNothingElse(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 10)
	// A limit at the target, of which the source's definitions know nothing.
	err := e.to.Put(t.Context(), "/vhost-limits/%2F/max-queues", apiclient.Object{"value": 0})
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), e.options())
	if err == nil || report.Stage != Partly || report.Queues[0].Moved != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	if left := e.ready(e.source, "q"); left != 10 {
		t.Errorf("%d are left", left)
	}
}

// TestQueuesThatWereNotBegunSaySo, when the target cannot be reached over AMQP.
func TestQueuesThatWereNotBegunSaySo(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 10)
	o := e.options()
	o.TargetAMQP = Endpoint{Address: e.target.Addr().String(), User: "guest", Password: "wrong"}
	report, err := Run(t.Context(), o)
	if err == nil || report.Stage != Declared || report.Queues[0].Agrees() {
		t.Errorf("%v, %+v", err, report)
	}
}

// TestWhatConsumersHoldIsCounted.
func TestWhatConsumersHoldIsCounted(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 10)
	client := warrentest.Open(t, e.source.Addr())
	for range 3 {
		client.Call(1, &amqp.BasicGet{Queue: "q"}, amqp.MethodBasicGetOk)
		client.Content(1)
	}
	report, err := Run(t.Context(), e.options())
	if err != nil || report.Held != 3 || report.Queues[0].Moved != 7 {
		t.Errorf("%v, %+v", err, report)
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	e := newEnds(t)
	e.declare(e.from, "q", nil)
	e.fill("q", 10)
	o := e.options()
	o.DryRun = true
	report, err := Run(t.Context(), o)
	// The queue, and guest, whose password has another salt here.
	if err != nil || len(report.Changes) != 2 || report.Queues[0].Source != 10 {
		t.Errorf("the report is %+v, %v", report, err)
	}
	err = e.to.Get(t.Context(), "/queues/%2F/q", nil)
	if !apiclient.IsNotFound(err) {
		t.Errorf("the queue is there: %v", err)
	}
}

func TestUnknownVHostsAndExchangesAreRefused(t *testing.T) {
	e := newEnds(t)
	o := e.options()
	o.VHosts = []string{"none"}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("a vhost there is not: %v", err)
	}
	m := &move{Options: o}
	definitions, err := read(t.Context(), e.from)
	if err != nil {
		t.Fatal(err)
	}
	definitions["exchanges"] = []apiclient.Object{{"name": "x", "vhost": "/", "type": "x-odd"}}
	definitions["queues"] = []apiclient.Object{{"name": "s", "vhost": "/",
		"arguments": apiclient.Object{"x-queue-type": "stream"}}}
	definitions["bindings"] = []apiclient.Object{{"vhost": "/", "source": "x",
		"destination": "s", "destination_type": "queue"}}
	_, err = m.refuse(t.Context(), definitions, nil)
	var refused *RefusedError
	if !errors.As(err, &refused) || len(refused.Refused) != 2 {
		t.Errorf("refused are %v", err)
	}
	m.Skip = true
	kept, err := m.refuse(t.Context(), definitions, nil)
	if err != nil || len(kept["exchanges"])+len(kept["queues"])+len(kept["bindings"]) != 0 {
		t.Errorf("left are %v, %v", kept, err)
	}
}
