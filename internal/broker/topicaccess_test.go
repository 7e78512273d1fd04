package broker

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
)

// topicRefusal is what RabbitMQ says, "" when ok.
func topicRefusal(ok bool, key, x, user string) string {
	if ok {
		return ""
	}
	return "ACCESS_REFUSED - access to topic '" + key + "' in exchange '" + x +
		"' in vhost '/' refused for user '" + user + "'"
}

func (c *client) tryPublish(x string, keys ...string) *amqp.Error {
	var all [][]byte
	for _, k := range keys {
		all = append(all, []byte(k))
	}
	return c.routes.RouteAll(c.Access, []byte(x), noHeaders, all...).Err
}

func (c *client) tryBind(x, key string) *amqp.Error {
	return c.Bind(exchange.Binding{Source: x, Destination: "q", RoutingKey: key})
}

// TestTopicPermissionsNarrowWhatMayBeDone with topic exchanges, and with no others.
func TestTopicPermissionsNarrowWhatMayBeDone(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.user("bob", ".*", ".*", ".*")
	c, g := h.client("bob"), h.guest()
	c.declare("q", false)
	for _, x := range []string{"amq.topic", "amq.direct"} {
		h.must(h.PutTopicPermission(definition.TopicPermission{
			User: "bob", VHost: "/", Exchange: x, Write: "^w\\.", Read: "^r\\.",
		}))
	}
	c.declareExchange(definition.Exchange{Name: "free", Type: "topic"})
	for _, k := range []struct {
		x, key      string
		write, read bool
	}{
		{"amq.topic", "w.a", true, false},
		{"amq.topic", "r.a", false, true},
		{"amq.topic", "", false, false},
		{"amq.direct", "a", true, true},
		{"free", "a", true, true},
	} {
		for range 3 { // remembered or not
			refused(t, "publish "+k.key+" to "+k.x, c.tryPublish(k.x, k.key),
				topicRefusal(k.write, k.key, k.x, "bob"))
		}
		what := k.key + " from " + k.x
		refused(t, "bind "+what, c.tryBind(k.x, k.key), topicRefusal(k.read, k.key, k.x, "bob"))
		unbind := c.Unbind(exchange.Binding{Source: k.x, Destination: "q", RoutingKey: k.key})
		refused(t, "unbind "+what, unbind, topicRefusal(k.read, k.key, k.x, "bob"))
		refused(t, "somebody else's", g.tryPublish(k.x, k.key), "")
	}
	// Whoever is named for a copy needs permission, too.
	refused(t, "copies", c.tryPublish("amq.topic", "w.a", "w.b", "x"),
		topicRefusal(false, "x", "amq.topic", "bob"))
	refused(t, "copies", c.tryPublish("amq.topic", "w.a", "w.b"), "")
	// The empty pattern is for the empty key.
	h.must(h.PutTopicPermission(definition.TopicPermission{
		User: "bob", VHost: "/", Exchange: "amq.topic",
	}))
	refused(t, "empty", c.tryPublish("amq.topic", ""), "")
	refused(t, "not empty", c.tryPublish("amq.topic", "w.a"),
		topicRefusal(false, "w.a", "amq.topic", "bob"))
	h.must(h.ClearTopicPermission("bob", "/", "amq.topic"))
	refused(t, "none left", c.tryPublish("amq.topic", "anything"), "")
}

// TestNamesInTopicPatternsAreTakenLiterally, whatever they mean to regular expressions.
func TestNamesInTopicPatternsAreTakenLiterally(t *testing.T) {
	h := open(t, disk.NewMemory())
	names := []string{"a-z", "[a-z]", ".*", "a|b", "bob", "(", "{vhost}", "$1", `\Qa`, "a.b"}
	for _, name := range names {
		h.user(name, ".*", ".*", ".*")
		h.must(h.PutTopicPermission(definition.TopicPermission{
			User: name, VHost: "/", Exchange: "amq.topic", Write: "^{username}$", Read: "^{vhost}$",
		}))
	}
	for _, name := range names {
		c := h.client(name)
		c.declare("q", false)
		for _, key := range append(names, "b", "", "axb", name+"x", "/") {
			refused(t, name+" publishes "+key, c.tryPublish("amq.topic", key),
				topicRefusal(key == name, key, "amq.topic", name))
			refused(t, name+" binds "+key, c.tryBind("amq.topic", key),
				topicRefusal(key == "/", key, "amq.topic", name))
		}
	}
}

// TestTopicPermissionsFollowTheExchange that is there at the moment.
func TestTopicPermissionsFollowTheExchange(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.user("bob", ".*", ".*", ".*")
	c := h.client("bob")
	h.must(h.PutTopicPermission(definition.TopicPermission{
		User: "bob", VHost: "/", Exchange: "x", Write: "^w$", Read: "^w$",
	}))
	for range 2 {
		c.declareExchange(definition.Exchange{Name: "x", Type: "fanout"})
		for range 3 {
			refused(t, "fanout", c.tryPublish("x", "k"), "")
		}
		h.must(c.DeleteExchange("x", false))
		c.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
		refused(t, "topic", c.tryPublish("x", "k"), topicRefusal(false, "k", "x", "bob"))
		h.must(c.DeleteExchange("x", false))
		refused(t, "none", c.tryPublish("x", "k"), "NOT_FOUND - no exchange 'x' in vhost '/'")
	}
	// Operators need no permission.
	c.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
	a, err := h.ActAsOperator("/")
	h.must(err)
	operator := &client{Access: a, t: t, batch: h.NewBatch()}
	refused(t, "an operator", operator.tryPublish("x", "k"), "")
}

// TestChangedPermissionsCountAtOnce for those who are connected.
func TestChangedPermissionsCountAtOnce(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.user("bob", ".*", ".*", ".*")
	c := h.client("bob")
	for range 2 {
		for range 3 {
			refused(t, "before", c.tryPublish("amq.topic", "k"), "")
		}
		h.must(h.ClearPermission("bob", "/"))
		err := c.tryPublish("amq.topic", "k")
		if err == nil || !strings.HasPrefix(err.Text, "ACCESS_REFUSED - access to exchange") {
			t.Errorf("without permissions: %v", err)
		}
		h.must(h.PutPermission(definition.Permission{User: "bob", VHost: "/", Write: ".*"}))
	}
}

// TestWhatIsRememberedOfPermissionsIsTrue changes them at random, and the exchange, and compares
// with somebody who remembers nothing.
func TestWhatIsRememberedOfPermissionsIsTrue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := open(t, disk.NewMemory())
		defer h.shut()
		h.user("bob", ".*", ".*", ".*")
		c, g := h.client("bob"), h.guest()
		patterns := rapid.SampledFrom([]string{"", ".*", "^a", "^x", "^{username}", "b$"})
		rt.Repeat(map[string]func(*rapid.T){
			"permission": func(t *rapid.T) {
				h.must(h.PutPermission(definition.Permission{
					User: "bob", VHost: "/", Write: patterns.Draw(t, "write"),
				}))
			},
			"no permission": func(*rapid.T) { _ = h.ClearPermission("bob", "/") },
			"topic permission": func(t *rapid.T) {
				h.must(h.PutTopicPermission(definition.TopicPermission{
					User: "bob", VHost: "/", Exchange: "x", Write: patterns.Draw(t, "write"),
				}))
			},
			"no topic permission": func(*rapid.T) { _ = h.ClearTopicPermission("bob", "/", "x") },
			"exchange": func(t *rapid.T) {
				g.must(g.DeleteExchange("x", false))
				kind := rapid.SampledFrom([]string{"topic", "fanout", ""}).Draw(t, "type")
				if kind != "" {
					g.declareExchange(definition.Exchange{Name: "x", Type: kind})
				}
			},
			"": func(t *rapid.T) {
				for _, keys := range [][]string{{"a"}, {"bob"}, {"b"}, {"a", "b"}, {"bob", "c"}} {
					fresh := client{Access: c.Access}
					got, want := c.tryPublish("x", keys...), fresh.tryPublish("x", keys...)
					if (got == nil) != (want == nil) || got != nil && got.Text != want.Text {
						t.Fatalf("publish %q: %v, want %v", keys, got, want)
					}
				}
			},
		})
	})
}

// TestTopicPermissionsDoNotAllocate when they allow.
func TestTopicPermissionsDoNotAllocate(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.user("bob", ".*", ".*", ".*")
	h.must(h.PutTopicPermission(definition.TopicPermission{
		User: "bob", VHost: "/", Exchange: "x", Write: "^[a-z0-9.]+$", Read: ".*",
	}))
	c := h.client("bob")
	keys := c.manyPatterns(100)
	i, x := 0, []byte("x")
	next := func() {
		if r := c.routes.Route(c.Access, x, keys[i%len(keys)], noHeaders); r.Err != nil {
			t.Fatal(r.Err)
		}
		i++
	}
	for range 10 * len(keys) {
		next()
	}
	if allocs := testing.AllocsPerRun(1000, next); allocs != 0 {
		t.Errorf("%v allocations for each message", allocs)
	}
}

// TestReplyQueuesAreNoQueues to bind, declare, consume from or delete.
func TestReplyQueuesAreNoQueues(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	key, err := h.OpenReplies(&answers{})
	h.must(err)
	for _, name := range []string{ReplyQueue, key} {
		bind := c.Bind(exchange.Binding{Source: "amq.fanout", Destination: name})
		_, declare := c.DeclareQueue(definition.Queue{Name: name})
		_, passive := c.CheckQueue(name)
		_, read := c.ReadableQueue(name)
		for what, err := range map[string]*amqp.Error{
			"bind": bind, "passive declare": passive, "consume": read,
		} {
			refused(t, what, err, "NOT_FOUND - no queue '"+name+"' in vhost '/'")
		}
		refused(t, "declare", declare, "ACCESS_REFUSED - queue name '"+name+
			"' contains reserved prefix 'amq.*'")
	}
	// What is routed inside, as dead letters are, does not come to who waits.
	for _, x := range []string{"", "amq.fanout"} {
		if r := c.routes.Route(c.Access, []byte(x), []byte(key), noHeaders); r.Reaches() {
			t.Errorf("a message reaches it through %q", x)
		}
	}
}
