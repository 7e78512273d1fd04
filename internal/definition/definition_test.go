package definition

import (
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

func newVHostForTest(t testing.TB) *VHost {
	s := New(exchange.Standard())
	if !s.PutVHost("/") {
		t.Fatal("there is a vhost in a new state")
	}
	v, ok := s.VHost("/")
	if !ok {
		t.Fatal("the vhost is not there")
	}
	return v
}

func mustDeclare(t testing.TB, v *VHost, id uint64, name string) *Queue {
	q, created, err := v.DeclareQueue(Queue{ID: id, Name: name, Durable: true})
	if err != nil || !created {
		t.Fatalf("declare %s: %v, %v", name, created, err)
	}
	return q
}

func mustBind(t testing.TB, v *VHost, b exchange.Binding) {
	if created, err := v.Bind(b, 0); err != nil || !created {
		t.Fatalf("bind %+v: %v, %v", b, created, err)
	}
}

func TestVHostsComeAndGoWithTheirPermissions(t *testing.T) {
	s := New(exchange.Standard())
	s.PutVHost("b")
	s.PutVHost("a")
	if s.PutVHost("a") {
		t.Error("made a vhost twice")
	}
	if got := s.VHosts(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("vhosts %q", got)
	}
	s.PutUser(User{Name: "u"})
	for _, vhost := range s.VHosts() {
		if err := s.PutPermission(Permission{User: "u", VHost: vhost}); err != nil {
			t.Error(err)
		}
	}
	if !s.DeleteVHost("a") || s.DeleteVHost("a") {
		t.Error("a vhost is deleted other than once")
	}
	if _, ok := s.VHost("a"); ok {
		t.Error("the deleted vhost is there")
	}
	if got := s.Permissions(); len(got) != 1 || got[0].VHost != "b" {
		t.Errorf("permissions %+v", got)
	}
	if v, _ := s.VHost("b"); v.Name() != "b" {
		t.Errorf("named %q", v.Name())
	}
}

func TestUsersComeAndGoWithTheirPermissions(t *testing.T) {
	s := New(exchange.Standard())
	s.PutVHost("/")
	hash := []byte{1}
	if !s.PutUser(User{Name: "u", PasswordHash: hash, Tags: []string{"t"}}) {
		t.Error("a new user existed")
	}
	hash[0] = 2
	if u, ok := s.User("u"); !ok || u.PasswordHash[0] != 1 || !slices.Equal(u.Tags, []string{"t"}) {
		t.Errorf("user %+v, %v", u, ok)
	}
	if s.PutUser(User{Name: "u"}) {
		t.Error("a user was made twice")
	}
	if u, _ := s.User("u"); len(u.Tags) != 0 {
		t.Errorf("tags %q were not replaced", u.Tags)
	}
	p := Permission{User: "u", VHost: "/", Configure: "c", Write: "w", Read: "r"}
	if err := s.PutPermission(p); err != nil {
		t.Error(err)
	}
	if got, ok := s.Permission("u", "/"); !ok || got != p {
		t.Errorf("permission %+v, %v", got, ok)
	}
	for _, p := range []Permission{{User: "x", VHost: "/"}, {User: "u", VHost: "x"}} {
		if err := s.PutPermission(p); err == nil || err.Code != amqp.NotFound {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if !s.ClearPermission("u", "/") || s.ClearPermission("u", "/") {
		t.Error("a permission is cleared other than once")
	}
	_ = s.PutPermission(p)
	if !s.DeleteUser("u") || s.DeleteUser("u") {
		t.Error("a user is deleted other than once")
	}
	if _, ok := s.Permission("u", "/"); ok || len(s.Users()) != 0 {
		t.Error("something is left of the user")
	}
}

func TestVHostsAreSeparate(t *testing.T) {
	s := New(exchange.Standard())
	s.PutVHost("a")
	s.PutVHost("b")
	a, _ := s.VHost("a")
	b, _ := s.VHost("b")
	mustDeclare(t, a, 1, "q")
	if _, err := b.CheckQueue("q", 0); err == nil ||
		err.Text != "NOT_FOUND - no queue 'q' in vhost 'b'" {
		t.Errorf("in the other vhost: %v", err)
	}
}

func TestPredeclaredExchangesNeedTheirTypes(t *testing.T) {
	s := New([]exchange.Type{exchange.Standard()[0]}) // direct
	s.PutVHost("/")
	v, _ := s.VHost("/")
	var names []string
	for _, x := range v.Exchanges() {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, []string{"", "amq.direct"}) {
		t.Errorf("exchanges %q", names)
	}
}

func TestDeclarationsKeepNoMemoryOfTheCaller(t *testing.T) {
	v := newVHostForTest(t)
	arguments := amqp.NewTable(map[string]any{"x-max-length": 5})
	want := arguments.Clone()
	q, _, _ := v.DeclareQueue(Queue{ID: 1, Name: "q", Arguments: arguments})
	_, _ = v.DeclareExchange(Exchange{Name: "x", Type: "fanout", Arguments: arguments})
	_, _ = v.Bind(exchange.Binding{Source: "x", Destination: "q", Arguments: arguments}, 0)
	clear(arguments)
	x, _ := v.Exchange("x")
	if string(q.Arguments) != string(want) || string(x.Arguments) != string(want) ||
		string(v.BindingsFrom("x")[0].Arguments) != string(want) {
		t.Error("what is declared changed with the caller's arguments")
	}
}

func TestAQueueNeedsAName(t *testing.T) {
	v := newVHostForTest(t)
	_, _, err := v.DeclareQueue(Queue{ID: 1})
	if err == nil || err.Code != amqp.PreconditionFailed {
		t.Errorf("declared: %v", err)
	}
}

func TestErrorsAreSoftButForAnUnknownType(t *testing.T) {
	v := newVHostForTest(t)
	if _, err := v.DeclareExchange(Exchange{Name: "x", Type: "t"}); err == nil || !err.Hard() {
		t.Errorf("unknown type: %v", err)
	}
	if _, err := v.CheckExchange("x"); err == nil || err.Hard() {
		t.Errorf("missing exchange: %v", err)
	}
}

// A chain as long as this one would not fit on a stack that grew with it for ever.
func TestALongChainOfAutoDeleteExchangesGoesWithItsEnd(t *testing.T) {
	v := newVHostForTest(t)
	const n = 10_000
	mustDeclare(t, v, 1, "end")
	for i := range n {
		name := strconv.Itoa(i)
		_, _ = v.DeclareExchange(Exchange{Name: name, Type: "fanout", AutoDelete: true})
		if i == 0 {
			mustBind(t, v, exchange.Binding{Source: name, Destination: "end"})
		} else {
			mustBind(t, v, exchange.Binding{
				Source: name, Destination: strconv.Itoa(i - 1), ToExchange: true})
		}
	}
	var r Routing
	if err := v.Route([]byte(strconv.Itoa(n-1)), nil, nil, &r); err != nil || len(r.Queues()) != 1 {
		t.Fatalf("routed to %v, %v", r.Queues(), err)
	}
	if removed := v.DeleteQueue("end"); len(removed.Exchanges) != n {
		t.Fatalf("%d exchanges went", len(removed.Exchanges))
	}
}

// routes are scenes for Route: exchange, key, headers and the number of queues.
type scene struct {
	name, exchange, key string
	headers             amqp.RawProperties
	queues              int
}

func scenes(t testing.TB) (*VHost, []scene) {
	v := newVHostForTest(t)
	for _, x := range []Exchange{
		{Name: "first", Type: "direct", Arguments: amqp.NewTable(map[string]any{
			alternateArgument: "second"})},
		{Name: "second", Type: "fanout"},
		{Name: "third", Type: "topic"},
	} {
		if _, err := v.DeclareExchange(x); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		name := "q" + strconv.Itoa(i)
		mustDeclare(t, v, uint64(i), name)
		mustBind(t, v, exchange.Binding{Source: "amq.fanout", Destination: name})
		mustBind(t, v, exchange.Binding{Source: "third", Destination: name, RoutingKey: "a.*"})
	}
	mustBind(t, v, exchange.Binding{Source: "second", Destination: "third", ToExchange: true})
	mustBind(t, v, exchange.Binding{Source: "third", Destination: "second", ToExchange: true,
		RoutingKey: "#"})
	mustBind(t, v, exchange.Binding{Source: "amq.headers", Destination: "q1",
		Arguments: amqp.NewTable(map[string]any{"x-match": "any", "a": 1})})
	return v, []scene{
		{"default exchange", "", "q7", nil, 1},
		{"fanout to 50", "amq.fanout", "", nil, 50},
		{"alternate, two more and back", "first", "a.b", nil, 50},
		{"headers", "amq.headers", "", withHeaders(map[string]any{"a": 1}), 1},
	}
}

// withHeaders returns properties that are headers and nothing else.
func withHeaders(headers map[string]any) amqp.RawProperties {
	p := amqp.Properties{Headers: amqp.NewTable(headers)}
	return p.AppendTo(nil)
}

func TestRouteDoesNotAllocate(t *testing.T) {
	v, all := scenes(t)
	for _, s := range all {
		var r Routing
		name, key := []byte(s.exchange), []byte(s.key)
		allocs := testing.AllocsPerRun(10, func() {
			if v.CheckPublish(name) != nil || v.Route(name, key, s.headers, &r) != nil {
				t.Error("refused")
			}
		})
		if allocs != 0 || len(r.Queues()) != s.queues || r.Cacheable() != (s.headers == nil) {
			t.Errorf("%s: %v allocations, %d queues, cacheable %v",
				s.name, allocs, len(r.Queues()), r.Cacheable())
		}
	}
}

func TestRouteAndDeclarationsOfWhatExistsRunConcurrently(t *testing.T) {
	v, all := scenes(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var r Routing
			for i := range 50 * len(all) {
				s := all[i%len(all)]
				if v.Route([]byte(s.exchange), []byte(s.key), s.headers, &r) != nil ||
					len(r.Queues()) != s.queues {
					t.Errorf("%s: %d queues", s.name, len(r.Queues()))
				}
				_, created, err := v.DeclareQueue(Queue{ID: 99, Name: "q1", Durable: true})
				if created || err != nil {
					t.Errorf("declared again: %v, %v", created, err)
				}
				_, _ = v.CheckExchange("first")
			}
		})
	}
	wg.Wait()
}

func BenchmarkRoute(b *testing.B) {
	v, all := scenes(b)
	for _, s := range all {
		b.Run(s.name, func(b *testing.B) {
			var r Routing
			name, key := []byte(s.exchange), []byte(s.key)
			b.ReportAllocs()
			for b.Loop() {
				_ = v.Route(name, key, s.headers, &r)
			}
		})
	}
}

const manyQueues = 100_000

// declareMany makes many queues, each bound once, and returns the names.
func declareMany(t testing.TB, v *VHost) []string {
	names := make([]string, manyQueues)
	for i := range names {
		names[i] = "queue-" + strconv.Itoa(i)
		mustDeclare(t, v, uint64(i), names[i])
		mustBind(t, v, exchange.Binding{Source: "amq.direct", Destination: names[i],
			RoutingKey: names[i]})
	}
	return names
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAQueueCostsLittleMemory(t *testing.T) {
	const bytesMax = 600 // with one binding, beyond its strings
	v := newVHostForTest(t)
	before := heapBytes()
	names := declareMany(t, v)
	after := heapBytes()
	const strings = 16 + 16 // the name, and its place in names
	each := float64(after-before)/manyQueues - strings
	t.Logf("%.0f bytes for a queue with a binding", each)
	if each > bytesMax {
		t.Errorf("%.0f bytes, want at most %d", each, bytesMax)
	}
	runtime.KeepAlive(names)
	runtime.KeepAlive(v)
}

func BenchmarkDeclareBindDeleteAmong100000(b *testing.B) {
	v := newVHostForTest(b)
	for _, name := range declareMany(b, v) {
		mustBind(b, v, exchange.Binding{Source: "amq.fanout", Destination: name})
	}
	b.ReportAllocs()
	for b.Loop() {
		mustDeclare(b, v, manyQueues, "new")
		mustBind(b, v, exchange.Binding{Source: "amq.direct", Destination: "new", RoutingKey: "k"})
		mustBind(b, v, exchange.Binding{Source: "amq.fanout", Destination: "new"})
		if r := v.DeleteQueue("new"); len(r.Bindings) != 2 {
			b.Fatal(r)
		}
	}
}
