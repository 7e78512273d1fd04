package broker

import (
	"strconv"
	"testing"

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
	for i := range 2 * routesMax {
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

// TestRoutesWithOneHashAreNotMixedUp gives different ones the same hash.
func TestRoutesWithOneHashAreNotMixedUp(t *testing.T) {
	h := open(t, disk.NewMemory())
	if _, err := h.PutVHost("v"); err != nil {
		t.Fatal(err)
	}
	one, two := h.VHost("/"), h.VHost("v")
	var r Route
	r.begin(&one.generations.all)
	x, key := []byte("x"), []byte("k")
	h.routes.keep(r.kept(one, 7, x, key))
	for _, k := range []struct {
		v      *VHost
		x, key string
		want   bool
	}{
		{one, "x", "k", true}, {two, "x", "k", false}, {one, "y", "k", false},
		{one, "x", "l", false}, {one, "xk", "", false},
	} {
		if got := h.routes.find(k.v, 7, []byte(k.x), []byte(k.key)); (got != nil) != k.want {
			t.Errorf("vhost %s, exchange %s, key %s: %v", k.v.name, k.x, k.key, got)
		}
	}
}

// TestMoreKeysThanRoomInTurnAreFoundSometimes: had each driven out the next one, none would be.
func TestMoreKeysThanRoomInTurnAreFoundSometimes(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.topics("x", 1)
	x, n := []byte("x"), routesMax*2
	found := func() (found int) {
		for i := range n {
			key := []byte("0." + strconv.Itoa(i))
			c.routes.last = nil
			if c.routes.Route(c.Access, x, key, noHeaders) != &c.routes.own {
				found++
			}
		}
		return found
	}
	for range 8 {
		found()
	}
	before := h.routes.homeless.Load()
	if got := found(); got < n/4 {
		t.Errorf("%d of %d routes were remembered", got, n)
	}
	if turns := int(h.routes.homeless.Load() - before); turns < replaceEvery {
		t.Errorf("only %d routes found no room", turns)
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
