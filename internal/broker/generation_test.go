package broker

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
)

// TestRememberedRoutesAreThoseThatWouldBeFound changes the definitions at random and compares
// what several publishers remember with what the definitions say.
func TestRememberedRoutesAreThoseThatWouldBeFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := open(t, disk.NewMemory())
		defer h.shut()
		publishers := []*client{h.guest(), h.guest()}
		c := h.guest()
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		for _, x := range []string{"a", "b"} { // something to begin with, through both
			c.declare(x, false)
			c.declareExchange(definition.Exchange{Name: x, Type: "topic"})
			c.bind(x, x, "#")
		}
		c.must(c.Bind(exchange.Binding{Source: "a", Destination: "b", ToExchange: true}))
		binding := func(t *rapid.T) exchange.Binding {
			return exchange.Binding{
				Source: names.Draw(t, "source"), Destination: names.Draw(t, "destination"),
				ToExchange: rapid.Bool().Draw(t, "to exchange"),
				RoutingKey: rapid.SampledFrom([]string{"k", "#", "*.l", "a"}).Draw(t, "pattern"),
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"declare exchange": func(t *rapid.T) {
				e := definition.Exchange{
					Name:       names.Draw(t, "name"),
					Type:       rapid.SampledFrom([]string{"direct", "topic"}).Draw(t, "type"),
					AutoDelete: rapid.Bool().Draw(t, "auto-delete"),
				}
				if other := names.Draw(t, "alternate"); other != e.Name {
					e.Arguments = amqp.NewTable(map[string]any{"alternate-exchange": other})
				}
				_ = c.DeclareExchange(e) // refused if it differs
			},
			"delete exchange": func(t *rapid.T) {
				_ = c.DeleteExchange(names.Draw(t, "name"), false)
			},
			"declare queue": func(t *rapid.T) {
				_, _ = c.DeclareQueue(definition.Queue{Name: names.Draw(t, "name")})
			},
			"delete queue": func(t *rapid.T) {
				_ = c.DeleteQueue(c.batch, names.Draw(t, "name"), false, false, func(int) {})
			},
			"bind":      func(t *rapid.T) { _ = c.Bind(binding(t)) },
			"bind more": func(t *rapid.T) { _ = c.Bind(binding(t)) },
			"unbind":    func(t *rapid.T) { _ = c.Unbind(binding(t)) },
			"": func(t *rapid.T) {
				for _, p := range publishers {
					p.compareRoute(t, "", "a") // the last of the time before
					for _, x := range []string{"a", "b", "c", ""} {
						for _, key := range []string{"k", "k.l", "a", "b", ""} {
							p.compareRoute(t, x, key)
						}
					}
					p.compareRoute(t, "", "a")
				}
			},
		})
	})
}

func (c *client) compareRoute(t *rapid.T, x, key string) {
	got := sortedNames(c.routes.Route(c.Access, []byte(x), []byte(key), noHeaders))
	var fresh RouteCache
	fresh.own.begin(nil)
	if x == "" {
		c.vhost.routeToQueue(&fresh.own, []byte(key))
	} else {
		c.vhost.route(&fresh, []byte(x), []byte(key), nil)
	}
	if want := sortedNames(&fresh.own); !slices.Equal(got, want) {
		t.Fatalf("exchange %q, key %q: remembered %q, want %q", x, key, got, want)
	}
}

// sortedNames returns the queues of a route, by name and identity.
func sortedNames(r *Route) []string {
	if r.Err != nil {
		return []string{r.Err.Text}
	}
	var list []string
	for _, q := range r.queues {
		list = append(list, fmt.Sprint(q.Name(), " ", q.Definition.ID))
	}
	slices.Sort(list)
	return list
}

// TestQueuesThatComeAndGoLeaveOtherRoutesAlone is the pattern of replies: a queue for each
// request, used through the default exchange.
func TestQueuesThatComeAndGoLeaveOtherRoutesAlone(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.topics("x", 3)
	c.find("x", "1.a")
	other.find("x", "1.a")
	before := c.find("x", "1.a")
	for i := range 100 {
		name := "reply-" + strconv.Itoa(i)
		other.declareQueue(definition.Queue{Name: name, Exclusive: true})
		other.publish("", name, "answer", false)
		other.must(other.DeleteQueue(other.batch, name, false, false, func(int) {}))
	}
	// Nor does what is there already, nor changes of another exchange (of another count).
	other.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
	other.declare("x-1", false)
	other.bind("x", "x-1", "1.#")
	if !before.current() || c.find("x", "1.a") != before {
		t.Error("the route was found anew")
	}
	other.bind("x", "x-2", "1.#")
	if before.current() {
		t.Error("a new binding left the route as it was")
	}
	equal(t, "after a new binding", sortedNamesOnly(c.find("x", "1.b")), "x-1", "x-2")
}

func sortedNamesOnly(r *Route) (list []string) {
	for _, q := range r.queues {
		list = append(list, q.Name())
	}
	slices.Sort(list)
	return list
}

// TestARouteThatTurnsOutTheSameIsKept: a change elsewhere in the exchange costs no memory.
func TestARouteThatTurnsOutTheSameIsKept(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.topics("x", 2)
	c.find("x", "0.a")
	other.find("x", "0.a")
	c.find("x", "1.a")
	before := c.find("x", "0.a")
	other.bind("x", "x-1", "5.#")
	if before.current() {
		t.Fatal("the exchange did not change")
	}
	if after := c.find("x", "0.a"); after != before || !after.current() {
		t.Error("the route was made anew")
	}
}

// TestAPermissionThatIsTakenAwayHoldsForRememberedRoutes at once.
func TestAPermissionThatIsTakenAwayHoldsForRememberedRoutes(t *testing.T) {
	h := open(t, disk.NewMemory())
	g := h.guest()
	g.topics("x", 1)
	h.user("bob", ".*", ".*", ".*")
	bob := h.client("bob")
	for range 3 {
		bob.find("x", "0.a")
	}
	none := definition.Permission{User: "bob", VHost: "/"}
	if err := h.PutPermission(none); err != nil {
		t.Fatal(err)
	}
	for _, x := range []string{"x", ""} {
		r := bob.routes.Route(bob.Access, []byte(x), []byte("0.a"), noHeaders)
		if r.Err == nil || r.Err.Code != amqp.AccessRefused {
			t.Errorf("exchange %q: %v", x, r.Err)
		}
	}
	g.find("x", "0.a") // what others may is as it was
}

// TestWhatLiesBeyondTheFirstExchangeCounts changes only what comes after it.
func TestWhatLiesBeyondTheFirstExchangeCounts(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.declareExchange(definition.Exchange{
		Name: "x", Type: "topic",
		Arguments: amqp.NewTable(map[string]any{"alternate-exchange": "rest"}),
	})
	c.declare("q", false)
	bound := exchange.Binding{Source: "rest", Destination: "q"}
	step := func(what string, want ...string) {
		t.Helper()
		for _, p := range []*client{c, other, c} {
			equal(t, what, sortedNamesOnly(p.find("x", "k")), want...)
		}
	}
	step("no alternate")
	other.declareExchange(definition.Exchange{Name: "rest", Type: "fanout"})
	step("nothing bound")
	other.must(other.Bind(bound))
	step("bound", "q")
	other.must(other.DeleteExchange("rest", false))
	step("no alternate again")
	other.declareExchange(definition.Exchange{Name: "rest", Type: "fanout"})
	other.must(other.Bind(bound))
	step("bound again", "q")
	other.must(other.Unbind(bound))
	step("unbound")
}

// TestAPolicyMakesRoutesStale: they know when a message counts as stored.
func TestAPolicyMakesRoutesStale(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.declareExchange(definition.Exchange{Name: "x", Type: "fanout"})
	c.declare("q", true)
	c.bind("x", "q", "")
	policy := definition.Policy{
		Name: "light", Pattern: "q", Definition: amqp.NewTable(map[string]any{"durability": "os"}),
	}
	look := func(want bool) {
		t.Helper()
		for _, x := range []string{"", "x"} {
			for range 3 {
				if r := c.find(x, "q"); r.syncs != want {
					t.Errorf("exchange %q: syncs %v", x, r.syncs)
				}
			}
		}
	}
	look(true)
	c.must(c.vhost.PutPolicy(policy))
	look(false)
	c.must(c.vhost.ClearPolicy("light"))
	look(true)
}

// TestRoutesWhileDefinitionsChange publishes and changes at the same time, for the race
// detector; a route that was there all the time is never missed.
func TestRoutesWhileDefinitionsChange(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.guest().topics("x", 50)
	var wg sync.WaitGroup
	for range 3 {
		c := h.guest()
		wg.Go(func() {
			for i := range 4000 {
				key := []byte(strconv.Itoa(i%50) + ".a")
				r := c.routes.Route(c.Access, []byte("x"), key, noHeaders)
				if r.Err != nil || !r.Reaches() {
					t.Errorf("key %d: %v", i%50, r.Err)
				}
			}
		})
	}
	c := h.guest()
	wg.Go(func() {
		for i := range 500 {
			name := "new-" + strconv.Itoa(i%7)
			c.declare(name, false)
			c.bind("x", name, strconv.Itoa(i%50)+".#")
			c.must(c.DeleteQueue(c.batch, name, false, false, func(int) {}))
		}
	})
	wg.Wait()
}
