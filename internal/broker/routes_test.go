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

var noHeaders = amqp.RawProperties{0, 0}

// find returns the route of a message as it is, not only where it leads.
func (c *client) find(exchange, key string) *Route {
	c.t.Helper()
	r := c.routes.Route(c.Access, []byte(exchange), []byte(key), noHeaders)
	c.must(r.Err)
	return r
}

// kept returns the routes that the node remembers.
func (t *routeTable) kept() (list []*keptRoute) {
	p := t.places.Load()
	if p == nil {
		return nil
	}
	for i := range *p {
		for j := range routeWays {
			if r := (*p)[i].routes[j].Load(); r != nil {
				list = append(list, r)
			}
		}
	}
	return list
}

// topics declares a topic exchange with n queues, each bound by a pattern of its number.
func (c *client) topics(x string, n int) {
	c.declareExchange(definition.Exchange{Name: x, Type: "topic"})
	for i := range n {
		name := x + "-" + strconv.Itoa(i)
		c.declare(name, false)
		c.bind(x, name, strconv.Itoa(i)+".#")
	}
}

// TestRememberedRoutesAreThoseThatWouldBeFound changes the definitions at random and compares
// what several publishers remember with what the definitions say.
func TestRememberedRoutesAreThoseThatWouldBeFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := open(t, disk.NewMemory())
		defer h.shut()
		publishers := []*client{h.guest(), h.guest()}
		c := h.guest()
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		keys := rapid.SampledFrom([]string{"k", "k.l", "a", "b", ""})
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
			"publish":   func(t *rapid.T) { compareRoute(t, publishers, keys, names) },
			"publish again": func(t *rapid.T) {
				compareRoute(t, publishers, keys, names)
			},
		})
	})
}

func compareRoute(t *rapid.T, publishers []*client, keys, names *rapid.Generator[string]) {
	x, key := names.Draw(t, "exchange"), keys.Draw(t, "key")
	if rapid.Bool().Draw(t, "default exchange") {
		x, key = "", x
	}
	c := publishers[rapid.IntRange(0, len(publishers)-1).Draw(t, "publisher")]
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

// TestRememberedPermissionsAreBounded reaches writableMax.
func TestRememberedPermissionsAreBounded(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for i := range writableMax + 2 {
		x := "x" + strconv.Itoa(i)
		c.declareExchange(definition.Exchange{Name: x, Type: "fanout"})
		c.find(x, "")
	}
	if n := len(c.routes.writable); n != writableMax {
		t.Errorf("%d permissions are remembered, the limit is %d", n, writableMax)
	}
	c.routes.Release()
	if c.routes.writable != nil || c.routes.last != nil {
		t.Error("something is left after Release")
	}
}

// TestRememberedRoutesAreBounded reaches routesMax, with keys that come twice each.
func TestRememberedRoutesAreBounded(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.topics("x", 1)
	table := &h.routes
	other := h.guest()
	for i := range 4 * routesMax {
		c.find("x", "0."+strconv.Itoa(i))
		other.find("x", "0."+strconv.Itoa(i))
	}
	list := table.kept()
	if n := len(list); n > routesMax || n < routesMax/2 || n != table.count {
		t.Errorf("%d routes, %d counted, the limit is %d", n, table.count, routesMax)
	}
	if n := len(*table.places.Load()) * routeWays; n != routesMax {
		t.Errorf("places for %d routes", n)
	}
}

// TestRememberedQueuesAreBounded reaches routeQueuesMax.
func TestRememberedQueuesAreBounded(t *testing.T) {
	h := open(t, disk.NewMemory())
	v := h.VHost("/")
	v.generations.all.Add(1)
	table := &h.routes
	wide := Route{queues: make([]*Queue, routeQueuesMax/100)}
	wide.begin(&v.generations.all)
	wide.queues = wide.queues[:routeQueuesMax/100]
	for i := range 300 {
		key := []byte(strconv.Itoa(i))
		table.keep(wide.kept(v, table.hash(v, []byte("x"), key), []byte("x"), key))
		held := 0
		for _, r := range table.kept() {
			held += len(r.queues)
		}
		if held > routeQueuesMax || held != table.queues || i > 100 && held < routeQueuesMax/4 {
			t.Fatalf("%d queues are remembered, %d counted, after %d routes", held, table.queues, i)
		}
	}
	count := table.count
	wide.queues = make([]*Queue, routeQueuesMax/routeWays+1)
	table.keep(wide.kept(v, 1, []byte("x"), nil))
	if table.count != count {
		t.Error("a route was kept that would drive out too many others")
	}
}

// TestKeysThatComeOnceDriveOutNobody scans many keys while a few are in use.
func TestKeysThatComeOnceDriveOutNobody(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, scan := h.guest(), h.guest()
	c.topics("x", 1)
	hot := make(map[*Route]bool)
	for range 3 {
		for i := range 40 {
			hot[c.find("x", "0.hot."+strconv.Itoa(i))] = true
		}
	}
	count := h.routes.count
	for i := range routesMax {
		scan.find("x", "0.cold."+strconv.Itoa(i))
	}
	still := 0
	for i := range 40 {
		if hot[c.find("x", "0.hot."+strconv.Itoa(i))] {
			still++
		}
	}
	if h.routes.count > count+count/2 || still < 30 {
		t.Errorf("%d routes, before %d; %d of 40 in use are still there", h.routes.count, count,
			still)
	}
}

// TestRoutesToQueuesThatAreGoneAreForgotten though nobody asks for them again.
func TestRoutesToQueuesThatAreGoneAreForgotten(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.topics("x", 100)
	for i := range 100 {
		c.find("x", strconv.Itoa(i)+".a")
		other.find("x", strconv.Itoa(i)+".a")
	}
	gone := len(h.routes.kept())
	if gone < 20 {
		t.Fatalf("%d routes are remembered", gone)
	}
	for i := range 100 {
		c.must(c.DeleteQueue(c.batch, "x-"+strconv.Itoa(i), false, false, func(int) {}))
	}
	y := exchange.Binding{Source: "amq.direct", Destination: "y", RoutingKey: "y"}
	other.declare("y", false)
	for range len(*h.routes.places.Load()) {
		other.must(other.Bind(y))
		other.must(other.Unbind(y))
	}
	for _, r := range h.routes.kept() {
		if !r.current() {
			t.Fatalf("the route of %q is still there", r.key)
		}
	}
}

// TestVHostsDoNotShareRoutes though they have the same names.
func TestVHostsDoNotShareRoutes(t *testing.T) {
	h := open(t, disk.NewMemory())
	clients := []*client{h.guest()}
	for i := range 2 {
		name := "v" + strconv.Itoa(i)
		if _, err := h.PutVHost(name); err != nil {
			t.Fatal(err)
		}
		if err := h.PutPermission(definition.Permission{
			User: "guest", VHost: name, Configure: ".*", Write: ".*", Read: ".*",
		}); err != nil {
			t.Fatal(err)
		}
		a, err := h.Open("guest", name)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, &client{Access: a, t: t, batch: h.NewBatch()})
	}
	for range 3 {
		for _, c := range clients {
			c.topics("x", 2)
			for i := range 2 {
				r := c.find("x", strconv.Itoa(i)+".a")
				if len(r.queues) != 1 || r.queues[0].vhost != c.vhost {
					t.Fatalf("vhost %s: routed to %v", c.vhost.name, sortedNames(r))
				}
			}
		}
	}
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

func TestRoutingDoesNotAllocate(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	const n = 1000
	c.topics("x", n)
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = []byte(strconv.Itoa(i) + ".a")
	}
	for name, x := range map[string][]byte{"remembered": []byte("x"), "the default exchange": {}} {
		i := 0
		next := func() {
			if r := c.routes.Route(c.Access, x, keys[i%n], noHeaders); r.Err != nil {
				t.Fatal(r.Err)
			}
			i++
		}
		for range 10 * n {
			next()
		}
		if allocs := testing.AllocsPerRun(n, next); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
