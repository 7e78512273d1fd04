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
	cases := append(declarations(c), uses(c)...)
	for _, k := range cases {
		want := ""
		if k.resource != "" {
			want = "ACCESS_REFUSED - access to " + k.resource +
				" in vhost '/' refused for user 'bob'"
		}
		got := ""
		if k.err != nil {
			got = k.err.Text
		}
		if got != want {
			t.Errorf("%s: %q, want %q", k.name, got, want)
		}
	}
}

// asked is something a client asked for: what came of it, and what was refused ("": nothing).
type asked struct {
	name     string
	err      *amqp.Error
	resource string
}

func declarations(c *client) []asked {
	declare := func(name string, arguments map[string]any) *amqp.Error {
		_, err := c.DeclareQueue(definition.Queue{
			Name: name, Arguments: amqp.NewTable(arguments),
		})
		return err
	}
	exchange := func(name string, arguments map[string]any) *amqp.Error {
		return c.DeclareExchange(definition.Exchange{
			Name: name, Type: "fanout", Arguments: amqp.NewTable(arguments),
		})
	}
	remove := func(name string) *amqp.Error {
		return c.DeleteQueue(c.batch, name, false, false, func(int) {})
	}
	const deadLetter, alternate = "x-dead-letter-exchange", "alternate-exchange"
	return []asked{
		{"declare mine", declare("my-new", nil), ""},
		{"declare other", declare("new", nil), "queue 'new'"},
		{"dead letters to mine", declare("my-dead", map[string]any{deadLetter: "my-q.x"}), ""},
		{"dead letters to other", declare("my-dead2", map[string]any{deadLetter: "q.x"}),
			"exchange 'q.x'"},
		{"delete other", remove("q"), "queue 'q'"},
		{"delete what is not there", remove("none"), "queue 'none'"},
		{"declare exchange", exchange("x", nil), "exchange 'x'"},
		{"alternate", exchange("my-x", map[string]any{alternate: "q.x"}), "exchange 'q.x'"},
		{"delete exchange", c.DeleteExchange("q.x", false), "exchange 'q.x'"},
	}
}

func uses(c *client) []asked {
	bind := func(source, destination string, toExchange bool) *amqp.Error {
		return c.Bind(exchange.Binding{
			Source: source, Destination: destination, ToExchange: toExchange,
		})
	}
	publish := func(exchange string) *amqp.Error {
		return c.routes.Route(c.Access, []byte(exchange), nil, amqp.RawProperties{0, 0}).Err
	}
	_, read := c.ReadableQueue("q")
	_, purge := c.PurgeQueue(c.batch, "q")
	_, mine := c.CheckQueue("my-q")
	_, passive := c.CheckQueue("q")
	_, missing := c.CheckQueue("none")
	return []asked{
		{"bind mine", bind("my-q.x", "my-q", false), ""},
		{"bind from other", bind("q.x", "my-q", false), "exchange 'q.x'"},
		{"bind to other", bind("my-q.x", "q", false), "queue 'q'"},
		{"bind to other exchange", bind("my-q.x", "q.x", true), "exchange 'q.x'"},
		{"bind the default exchange", bind("", "my-q", false), "exchange 'amq.default'"},
		{"publish mine", publish("my-q.x"), ""},
		{"publish other", publish("q.x"), "exchange 'q.x'"},
		{"publish default", publish(""), "exchange 'amq.default'"},
		{"publish nowhere", publish("none"), "exchange 'none'"},
		{"read other", read, "queue 'q'"},
		{"purge other", purge, "queue 'q'"},
		{"passive declare mine", mine, ""},
		{"passive declare other", passive, "queue 'q'"},
		{"passive declare nothing", missing, "queue 'none'"},
		{"passive exchange mine", c.CheckExchange("my-q.x"), ""},
		{"passive exchange other", c.CheckExchange("q.x"), "exchange 'q.x'"},
		{"passive exchange nothing", c.CheckExchange("none"), "exchange 'none'"},
	}
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
	// Any of the three is enough to learn that something is there, or is not.
	h.user("maker", ".*", "^$", "^$")
	for _, c := range []*client{writer, reader, h.client("maker")} {
		if _, err := c.CheckQueue("q"); err != nil {
			t.Errorf("passive declare: %v", err)
		}
		if err := c.CheckExchange("none"); err == nil || err.Code != amqp.NotFound {
			t.Errorf("passive declare of an exchange that is not there: %v", err)
		}
	}
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
