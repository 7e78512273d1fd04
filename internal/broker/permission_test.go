package broker

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// user adds a user with these permissions on the vhost "/".
func (h *house) user(name, configure, write, read string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state.PutUser(definition.User{Name: name})
	err := h.state.PutPermission(definition.Permission{
		User: name, VHost: "/", Configure: configure, Write: write, Read: read,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// TestWhatIsNotPermittedIsRefused asks for everything there is as a user who may touch names
// that begin with "my-" alone.
func TestWhatIsNotPermittedIsRefused(t *testing.T) {
	h := open(t, disk.NewMemory())
	g := h.guest()
	for _, name := range []string{"my-q", "q"} {
		g.declare(name, false)
		g.declareExchange(definition.Exchange{Name: name + ".x", Type: "fanout"})
	}
	h.user("bob", "^my-", "^my-", "^my-")
	c := h.client("bob")
	table := amqp.NewTable
	declare := func(d definition.Queue) error { _, err := c.DeclareQueue(d); return asError(err) }
	bind := func(source, destination string, toExchange bool) error {
		return asError(c.Bind(exchange.Binding{
			Source: source, Destination: destination, ToExchange: toExchange,
		}))
	}
	publish := func(exchange string) error {
		r := c.routes.Route(c.Access, []byte(exchange), nil, amqp.RawProperties{0, 0})
		return asError(r.Err)
	}
	cases := []struct {
		name     string
		err      error
		resource string // "" when it is allowed
	}{
		{"declare mine", declare(definition.Queue{Name: "my-new"}), ""},
		{"declare other", declare(definition.Queue{Name: "new"}), "queue 'new'"},
		{"dead letters to mine", declare(definition.Queue{Name: "my-dead",
			Arguments: table(map[string]any{"x-dead-letter-exchange": "my-q.x"})}), ""},
		{"dead letters to other", declare(definition.Queue{Name: "my-dead2",
			Arguments: table(map[string]any{"x-dead-letter-exchange": "q.x"})}),
			"exchange 'q.x'"},
		{"delete other", asError(c.DeleteQueue(c.batch, "q", false, false, func(int) {})),
			"queue 'q'"},
		{"delete what is not there", asError(c.DeleteQueue(c.batch, "none", false, false,
			func(int) {})), "queue 'none'"},
		{"declare exchange", asError(c.DeclareExchange(definition.Exchange{
			Name: "x", Type: "fanout"})), "exchange 'x'"},
		{"alternate", asError(c.DeclareExchange(definition.Exchange{
			Name: "my-x", Type: "fanout",
			Arguments: table(map[string]any{"alternate-exchange": "q.x"})})), "exchange 'q.x'"},
		{"delete exchange", asError(c.DeleteExchange("q.x", false)), "exchange 'q.x'"},
		{"bind mine", bind("my-q.x", "my-q", false), ""},
		{"bind from other", bind("q.x", "my-q", false), "exchange 'q.x'"},
		{"bind to other", bind("my-q.x", "q", false), "queue 'q'"},
		{"bind to other exchange", bind("my-q.x", "q.x", true), "exchange 'q.x'"},
		{"bind the default exchange", bind("", "my-q", false), "exchange 'amq.default'"},
		{"publish mine", publish("my-q.x"), ""},
		{"publish other", publish("q.x"), "exchange 'q.x'"},
		{"publish default", publish(""), "exchange 'amq.default'"},
		{"publish nowhere", publish("none"), "exchange 'none'"},
		{"read other", func() error { _, err := c.ReadableQueue("q"); return asError(err) }(),
			"queue 'q'"},
		{"purge other", func() error {
			_, err := c.PurgeQueue(c.batch, "q")
			return asError(err)
		}(), "queue 'q'"},
		{"passive declare", func() error { _, err := c.CheckQueue("q"); return asError(err) }(), ""},
	}
	for _, k := range cases {
		want := ""
		if k.resource != "" {
			want = "ACCESS_REFUSED - access to " + k.resource +
				" in vhost '/' refused for user 'bob'"
		}
		got := ""
		if e, ok := k.err.(*amqp.Error); ok {
			got = e.Text
		}
		if got != want {
			t.Errorf("%s: %q, want %q", k.name, got, want)
		}
	}
}

func asError(e *amqp.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func TestEachPermissionIsItsOwn(t *testing.T) {
	h := open(t, disk.NewMemory())
	g := h.guest()
	q := g.declare("q", false)
	h.user("writer", "^$", ".*", "")
	h.user("reader", "", "", ".*")
	writer, reader := h.client("writer"), h.client("reader")
	writer.publish("", "q", "x", false)
	if _, err := writer.ReadableQueue("q"); err == nil || err.Code != amqp.AccessRefused {
		t.Errorf("a writer may read: %v", err)
	}
	if _, err := reader.ReadableQueue("q"); err != nil {
		t.Error(err)
	}
	r := reader.routes.Route(reader.Access, nil, []byte("q"), amqp.RawProperties{0, 0})
	if r.Err == nil || r.Err.Code != amqp.AccessRefused {
		t.Errorf("a reader may write: %v", r.Err)
	}
	if _, err := reader.DeclareQueue(definition.Queue{Name: "new"}); err == nil {
		t.Error("a reader may declare")
	}
	equal(t, "the queue", reader.bodies(q), "x")
}

func TestVHostsAreForThoseWithPermissions(t *testing.T) {
	h := open(t, disk.NewMemory())
	_, err := h.Open("guest", "none")
	if err == nil || err.Text != "NOT_ALLOWED - vhost none not found" {
		t.Errorf("a vhost that is not there: %v", err)
	}
	_, err = h.Open("nobody", "/")
	want := "NOT_ALLOWED - access to vhost '/' refused for user 'nobody'"
	if err == nil || err.Text != want {
		t.Errorf("a user without permissions: %v", err)
	}
	before := h.Connections()
	c := h.guest()
	if h.Connections() != before+1 {
		t.Errorf("%d connections are counted", h.Connections())
	}
	c.Close(c.batch)
	if h.Connections() != before {
		t.Errorf("%d connections are counted after the end", h.Connections())
	}
}

// TestAnAutoDeleteQueueGoesWithItsLastConsumer, not before it had one.
func TestAnAutoDeleteQueueGoesWithItsLastConsumer(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareQueue(definition.Queue{Name: "q", AutoDelete: true, Durable: true})
	c.publish("", "q", "x", true)
	a := c.consume(q, queue.Consumer{Tag: "a"})
	b := c.consume(q, queue.Consumer{Tag: "b"})
	c.batch.Do(q, queue.Command{Kind: queue.Cancel, Consumer: a})
	if _, err := c.CheckQueue("q"); err != nil {
		t.Errorf("gone before its last consumer: %v", err)
	}
	c.batch.Do(q, queue.Command{Kind: queue.Cancel, Consumer: b})
	if _, err := c.CheckQueue("q"); err == nil || err.Code != amqp.NotFound {
		t.Errorf("after its last consumer: %v", err)
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log", n)
	}
}
