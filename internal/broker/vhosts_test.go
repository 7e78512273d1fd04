package broker

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
)

// forced is a connection that writes down why it has to end.
type forced struct {
	mu      sync.Mutex
	reasons []string
}

// Force implements Forced.
func (f *forced) Force(reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reasons = append(f.reasons, reason)
}

func (f *forced) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.reasons)
}

// in is client in another vhost, with all permissions there.
func (h *house) in(user, vhost string) *client {
	h.t.Helper()
	h.must(h.PutPermission(definition.Permission{
		User: user, VHost: vhost, Configure: ".*", Write: ".*", Read: ".*",
	}))
	a, err := h.Open(user, vhost)
	h.must(err)
	return &client{Access: a, t: h.t, batch: h.NewBatch()}
}

func (h *house) vhost(name string) {
	h.t.Helper()
	_, err := h.PutVHost(name)
	h.must(err)
}

// TestADeletedVHostTakesEverythingWithIt: queues, messages, what waits in exchanges, permissions
// and connections.
func TestADeletedVHostTakesEverythingWithIt(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	h.vhost("v")
	c, other := h.in("guest", "v"), h.guest()
	var connection, bystander forced
	c.Attach(&connection)
	other.Attach(&bystander)
	q := c.declare("q", true)
	c.declareExchange(definition.Exchange{
		Name: "later", Type: "x-delayed-message", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-delayed-type": "fanout"}),
	})
	p := amqp.Properties{
		DeliveryMode: 2, Headers: amqp.NewTable(map[string]any{"x-delay": 1 << 20}),
	}
	c.stable(c.publishWith("later", "", "waits", p))
	c.consume(q, queue.Consumer{Tag: "k"})
	c.stable(c.publish("", "q", "message", true))
	c.inbox.take()
	resident := h.resident.Load()

	h.must(h.DeleteVHost("v"))
	h.loading.Wait() // the exchange's messages go by and by
	if got := connection.all(); !slices.Equal(got, []string{"vhost 'v' is deleted"}) {
		t.Errorf("its connection is told %q", got)
	}
	if got := bystander.all(); len(got) != 0 {
		t.Errorf("another connection is told %q", got)
	}
	if e := c.inbox.take(); len(e) != 1 || e[0].kind != queue.Cancelled {
		t.Errorf("the consumer was told %+v", e)
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log", n)
	}
	if n := h.resident.Load(); n > resident || n < 0 {
		t.Errorf("%d bytes in memory, before %d", n, resident)
	}
	if _, ok := h.Permission("guest", "v"); ok || h.VHost("v") != nil {
		t.Error("it is still there")
	}
	_, err := h.Open("guest", "v")
	if err == nil || err.Text != "NOT_ALLOWED - vhost v not found" {
		t.Errorf("open: %v", err)
	}
	for seed := range uint64(10) {
		after := open(t, fs.Crash(seed))
		if got := after.account(); after.VHost("v") != nil || after.store.Stats().Unsettled != 0 {
			t.Fatalf("after a crash (seed %d): %s", seed, got)
		}
		after.shut()
	}
}

// TestWhoIsStillInADeletedVHostChangesNothing, even when there is a new one of its name.
func TestWhoIsStillInADeletedVHostChangesNothing(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	h.vhost("v")
	c := h.in("guest", "v")
	c.declareQueue(definition.Queue{Name: "mine", Exclusive: true})
	c.declare("q", true)
	c.publish("", "q", "x", true) // so that the route is remembered
	h.must(h.DeleteVHost("v"))
	h.vhost("v")
	again := h.in("guest", "v")
	empty := describe(h.VHost("v"))

	_, declare := c.DeclareQueue(definition.Queue{Name: "new", Durable: true})
	for name, err := range map[string]*amqp.Error{
		"declare queue":    declare,
		"declare exchange": c.DeclareExchange(definition.Exchange{Name: "x", Type: "fanout"}),
		"put policy":       c.vhost.PutPolicy(definition.Policy{Name: "p"}),
		"put limits":       c.vhost.PutLimit("max-queues", 0),
	} {
		if err == nil || err.Text != "CONNECTION_FORCED - vhost 'v' is deleted" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := c.routes.Route(c.Access, nil, []byte("q"), noHeaders); r.Takes() {
		t.Error("a message still goes to a queue of the deleted vhost")
	}
	c.Close(c.batch)
	if got := describe(h.VHost("v")); !slices.Equal(got, empty) {
		t.Errorf("the new vhost has %q, want %q", got, empty)
	}
	again.declare("q", true)
	again.publish("", "q", "new", true)
	want := describe(h.VHost("v"))
	h.shut()
	h = open(t, fs)
	if got := describe(h.VHost("v")); !slices.Equal(got, want) {
		t.Errorf("after a restart %q, want %q", got, want)
	}
}

// TestAVHostIsDeletedWhileItIsUsed declares and publishes meanwhile, then counts what is left.
func TestAVHostIsDeletedWhileItIsUsed(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	const users, rounds = 4, 10
	for range rounds {
		h.vhost("v")
		var work sync.WaitGroup
		for n := range users {
			c := h.in("guest", "v")
			work.Go(func() {
				for i := range 20 {
					name := fmt.Sprintf("q%d-%d", n, i)
					_, err := c.DeclareQueue(definition.Queue{Name: name, Durable: i%2 == 0})
					if err != nil {
						break
					}
					m := c.message("", name, "x", true)
					r := c.routes.Route(c.Access, nil, m.RoutingKey(), m.Properties())
					if r.Takes() {
						c.batch.Publish(r, m)
						c.batch.Run()
					} else {
						m.Release()
					}
				}
				c.Close(c.batch)
			})
		}
		h.must(h.DeleteVHost("v"))
		work.Wait()
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log", n)
	}
	if n, q := h.Connections(), h.queues.Load(); n != 0 || q != 0 {
		t.Errorf("%d connections and %d queues are counted", n, q)
	}
	h.shut()
	h = open(t, fs)
	if len(h.VHosts()) != 1 || len(h.VHost("/").Queues()) != 0 {
		t.Errorf("after a restart: %s", h.account())
	}
}

func TestAProtectedVHostCannotBeDeleted(t *testing.T) {
	h := open(t, disk.NewMemory())
	v := h.VHost("/")
	h.must(v.PutMetadata(definition.Metadata{Protected: true}))
	if err := h.DeleteVHost("/"); err == nil || err.Code != amqp.PreconditionFailed {
		t.Errorf("delete: %v", err)
	}
	h.guest().declare("q", true)
	h.must(v.PutMetadata(definition.Metadata{}), h.DeleteVHost("/"))
}

// TestTheConnectionsOfADeletedUserAreClosed, also of one that had not said yet how.
func TestTheConnectionsOfADeletedUserAreClosed(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.user("bob", ".*", ".*", ".*")
	c, late, other := h.client("bob"), h.client("bob"), h.guest()
	var connection, lateOne, bystander forced
	c.Attach(&connection)
	other.Attach(&bystander)
	h.must(h.DeleteUser("bob"))
	late.Attach(&lateOne)
	want := []string{"user 'bob' is deleted"}
	if a, b := connection.all(), lateOne.all(); !slices.Equal(a, want) || !slices.Equal(b, want) {
		t.Errorf("they are told %q and %q", a, b)
	}
	if got := bystander.all(); len(got) != 0 {
		t.Errorf("another connection is told %q", got)
	}
	if _, err := c.DeclareQueue(definition.Queue{Name: "q"}); err == nil ||
		err.Code != amqp.AccessRefused {
		t.Errorf("declare: %v", err)
	}
	guests := func(user, _ string) bool { return user == "guest" }
	if n := h.ForceConnections("enough", guests); n != 1 {
		t.Errorf("%d connections", n)
	}
	if got := bystander.all(); !slices.Equal(got, []string{"enough"}) {
		t.Errorf("it is told %q", got)
	}
}

// TestNobodyStaysConnectedAsADeletedUser who comes in meanwhile.
func TestNobodyStaysConnectedAsADeletedUser(t *testing.T) {
	h := open(t, disk.NewMemory())
	for range 50 {
		h.user("bob", ".*", ".*", ".*")
		var connection forced
		var work sync.WaitGroup
		opened := false
		work.Go(func() {
			if a, err := h.Open("bob", "/"); err == nil {
				opened = true
				a.Attach(&connection)
			}
		})
		h.must(h.DeleteUser("bob"))
		work.Wait()
		if opened && len(connection.all()) == 0 {
			t.Fatal("a connection stays")
		}
	}
}
