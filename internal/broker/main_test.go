package broker

import (
	"log/slog"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a manager over a file system of the test's choice.
type house struct {
	*Manager
	t testing.TB
}

// open starts a manager on what fs holds; it ends with the test, or with shut.
func open(t testing.TB, fs disk.FS) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: log})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	m, err := New(Options{
		Store: s, ExchangeTypes: exchange.Standard(), DefaultUser: "guest",
		DefaultPassword: "guest", Logger: log,
	})
	if err != nil {
		t.Fatalf("start the manager: %v", err)
	}
	t.Cleanup(m.Close)
	return &house{Manager: m, t: t}
}

func (h *house) shut() {
	h.t.Helper()
	h.Close()
	if err := h.store.Close(); err != nil {
		h.t.Fatalf("close the store: %v", err)
	}
}

// client is one connection's view of the house: an access, a batch, a cache of routes and the
// place where deliveries arrive.
type client struct {
	*Access
	t      testing.TB
	batch  *Batch
	routes RouteCache
	arena  message.Arena
	inbox  inbox
}

func (h *house) client(user string) *client {
	h.t.Helper()
	a, err := h.Open(user, "/")
	if err != nil {
		h.t.Fatalf("open: %v", err)
	}
	return &client{Access: a, t: h.t, batch: h.NewBatch()}
}

func (h *house) guest() *client { return h.client("guest") }

// declare makes a queue, which has to succeed.
func (c *client) declare(name string, durable bool) *Queue {
	c.t.Helper()
	return c.declareQueue(definition.Queue{Name: name, Durable: durable})
}

func (c *client) declareQueue(d definition.Queue) *Queue {
	c.t.Helper()
	q, err := c.DeclareQueue(d)
	if err != nil {
		c.t.Fatalf("declare queue %q: %v", d.Name, err)
	}
	return q
}

func (c *client) must(err *amqp.Error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) bind(source, destination, key string) {
	c.t.Helper()
	c.must(c.Bind(exchange.Binding{Source: source, Destination: destination, RoutingKey: key}))
}

// message makes a message for an exchange and key.
func (c *client) message(exchange, key, body string, persistent bool) message.Message {
	c.t.Helper()
	p := amqp.Properties{}
	if persistent {
		p.DeliveryMode = 2
	}
	return c.messageWith(exchange, key, body, p)
}

func (c *client) messageWith(exchange, key, body string, p amqp.Properties) message.Message {
	c.t.Helper()
	var b message.Builder
	err := b.Begin(&c.arena, []byte(exchange), []byte(key), p.AppendTo(nil), uint64(len(body)))
	if err != nil {
		c.t.Fatal(err)
	}
	b.Append([]byte(body))
	return b.Done()
}

// publish sends a message and returns its position in the log.
func (c *client) publish(exchange, key, body string, persistent bool) store.LSN {
	c.t.Helper()
	return c.send(c.message(exchange, key, body, persistent))
}

func (c *client) publishWith(exchange, key, body string, p amqp.Properties) store.LSN {
	c.t.Helper()
	return c.send(c.messageWith(exchange, key, body, p))
}

func (c *client) send(m message.Message) store.LSN {
	c.t.Helper()
	r := c.routes.Route(c.Access, m.Exchange(), m.RoutingKey(), m.Properties())
	c.must(r.Err)
	lsn := c.batch.Publish(r, m)
	c.batch.Run()
	return lsn
}

// stable waits until the log is stable up to lsn.
func (c *client) stable(lsn store.LSN) {
	c.t.Helper()
	if err := c.m.Wait(lsn); err != nil {
		c.t.Fatalf("wait for the log: %v", err)
	}
}

// consume subscribes and returns the consumer.
func (c *client) consume(q *Queue, k queue.Consumer) *queue.Consumer {
	c.t.Helper()
	k.Owner = &c.inbox
	c.batch.Do(q, queue.Command{Kind: queue.Subscribe, Consumer: &k})
	return &k
}

// get takes the head of a queue without acknowledging it; ok is false when there is none.
func (c *client) get(q *Queue) (e event, ok bool) {
	c.t.Helper()
	c.batch.Do(q, queue.Command{
		Kind: queue.Get, Consumer: &queue.Consumer{Owner: &c.inbox},
	})
	c.m.loading.Wait() // the answer may have to be read
	events := c.inbox.take()
	if len(events) != 1 {
		c.t.Fatalf("a get was answered by %d effects", len(events))
	}
	return events[0], events[0].kind == queue.Deliver
}

// bodies gets everything a queue holds, and acknowledges nothing.
func (c *client) bodies(q *Queue) []string {
	c.t.Helper()
	var list []string
	for e, ok := c.get(q); ok; e, ok = c.get(q) {
		list = append(list, e.body)
	}
	return list
}

// event is an effect as a test looks at it.
type event struct {
	kind        queue.EffectKind
	queue       *Queue
	tag         string
	body        string
	seq         uint64
	redelivered bool
}

// inbox is a Receiver that keeps what arrives.
type inbox struct {
	mu       sync.Mutex
	events   []event
	promised bool
	flushes  int
}

// Receive implements Receiver.
func (in *inbox) Receive(q *Queue, effects []queue.Effect) (flush bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range effects {
		e := &effects[i]
		v := event{kind: e.Kind, queue: q, tag: e.Consumer.Tag}
		if e.Kind == queue.Deliver {
			v.body, v.seq, v.redelivered = string(e.Message.Body()), e.Seq, e.Redelivered
		}
		in.events = append(in.events, v)
	}
	flush = !in.promised
	in.promised = true
	return flush
}

// Flush implements Receiver.
func (in *inbox) Flush() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.promised = false
	in.flushes++
}

// take returns what has arrived since the last call.
func (in *inbox) take() []event {
	in.mu.Lock()
	defer in.mu.Unlock()
	events := in.events
	in.events = nil
	return events
}

// equal compares lists of bodies.
func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: got %q, want %q", what, got, want)
		}
	}
}
