package broker

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// manyPatterns declares a topic exchange with n wildcard bindings to ten queues, and returns
// keys that match one each.
func (c *client) manyPatterns(n int) (keys [][]byte) {
	c.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
	for i := range 10 {
		c.declare("q"+strconv.Itoa(i), false)
	}
	for i := range n {
		c.bind("x", "q"+strconv.Itoa(i%10), fmt.Sprintf("*.%06d.#", i))
		keys = append(keys, fmt.Appendf(nil, "site.%06d.temperature", i))
	}
	return keys
}

// BenchmarkTopic finds routes of keys that come in turn: remembered, not remembered because
// there are more than the node remembers, and while bindings come and go.
func BenchmarkTopic(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		h := open(b, disk.NewMemory())
		c, other := h.guest(), h.guest()
		keys := c.manyPatterns(n)
		x := []byte("x")
		for i := range 4 * n {
			c.routes.Route(c.Access, x, keys[i%n], noHeaders)
		}
		b.Run(fmt.Sprintf("%d bindings", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.routes.Route(c.Access, x, keys[i*7919%n], noHeaders)
			}
			b.ReportMetric(float64(h.routes.count), "remembered")
		})
		// One binding comes or goes for every 100 messages.
		b.Run(fmt.Sprintf("%d bindings/that change", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := exchange.Binding{Source: "x", Destination: "q1", RoutingKey: "#.new"}
				switch i % 200 {
				case 0:
					_ = other.Bind(p)
				case 100:
					_ = other.Unbind(p)
				}
				c.routes.Route(c.Access, x, keys[i*7919%n], noHeaders)
			}
		})
		b.Run(fmt.Sprintf("%d bindings/bind and unbind", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := exchange.Binding{Source: "x", Destination: "q1", RoutingKey: "*.new.#"}
				_ = other.Bind(p)
				_ = other.Unbind(p)
			}
		})
	}
}

// BenchmarkDeclareAndDelete is the life of a reply queue, while others publish.
func BenchmarkDeclareAndDelete(b *testing.B) {
	for _, publishers := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d publishers", publishers), func(b *testing.B) {
			h := open(b, disk.NewMemory())
			keys := h.guest().manyPatterns(1000)
			var stop atomic.Bool
			var wg sync.WaitGroup
			for range publishers {
				p := h.guest()
				wg.Go(func() {
					for i := 0; !stop.Load(); i++ {
						p.routes.Route(p.Access, []byte("x"), keys[i%len(keys)], noHeaders)
					}
				})
			}
			c := h.guest()
			b.ReportAllocs()
			for b.Loop() {
				c.declareQueue(definition.Queue{Name: "reply", Exclusive: true})
				c.must(c.DeleteQueue(c.batch, "reply", false, false, func(int) {}))
			}
			stop.Store(true)
			wg.Wait()
		})
	}
}

// queueBytesMax is the most memory that a declared queue may take.
const queueBytesMax = 2048

// TestADeclaredQueueTakesLittleMemory after a start, with all that the node holds for it.
func TestADeclaredQueueTakesLittleMemory(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	c := h.guest()
	const n = 5000
	var wg sync.WaitGroup // they share syncs
	for part := range 50 {
		c := h.guest()
		wg.Go(func() {
			for i := part; i < n; i += 50 {
				c.declare(fmt.Sprintf("queue-%06d", i), true)
			}
		})
	}
	wg.Wait()
	c.Close(c.batch)
	h.shut()
	before := heap()
	h = open(t, fs)
	each := (heap() - before) / n
	t.Logf("%d bytes for each queue", each)
	if each > queueBytesMax {
		t.Errorf("a declared queue takes %d bytes, at most %d", each, queueBytesMax)
	}
	if got := len(h.VHost("/").Queues()); got != n {
		t.Errorf("%d queues came back", got)
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestASnapshotHoldsUpNobody declares from within a snapshot of the definitions: had that kept
// the vhost locked, it would never return.
func TestASnapshotHoldsUpNobody(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	c.declare("q", true)
	during := 0
	h.snapshot(func(record []byte) {
		command, err := definition.DecodeCommand(record)
		if err != nil {
			t.Fatal(err)
		}
		if command.Kind == definition.DeclareQueueKind {
			c.declare("light", false)
			c.declare("heavy", true)
			during++
		}
	})
	if during != 1 {
		t.Errorf("%d queues in the snapshot", during)
	}
}

// BenchmarkDeadLetter compares a publish with one that dies and is published again.
func BenchmarkDeadLetter(b *testing.B) {
	for _, dies := range []bool{false, true} {
		b.Run(fmt.Sprintf("dies=%v", dies), func(b *testing.B) {
			h := open(b, disk.NewMemory())
			c := h.guest()
			d := definition.Queue{Name: "q"}
			if dies {
				d.Arguments = amqp.NewTable(map[string]any{
					"x-max-length": 0, "x-dead-letter-exchange": "",
					"x-dead-letter-routing-key": "dead",
				})
			}
			c.declareQueue(d)
			letters := c.declare("dead", false)
			for _, q := range []*Queue{letters} {
				c.batch.Do(q, queue.Command{
					Kind: queue.Subscribe, Consumer: &queue.Consumer{NoAck: true, Owner: nobody{}},
				})
			}
			key := "dead"
			if dies {
				key = "q"
			}
			r := c.routes.Route(c.Access, nil, []byte(key), noHeaders)
			m := c.message("", key, "sixteen octets..", false)
			b.ReportAllocs()
			for b.Loop() {
				for range 100 {
					m.Hold(1)
					c.batch.Publish(r, m)
				}
				c.batch.Run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(100*b.N), "ns/message")
		})
	}
}

// nobody is a Receiver that drops what it gets.
type nobody struct{}

// Receive implements Receiver.
func (nobody) Receive(*Queue, []queue.Effect) bool { return false }

// Flush implements Receiver.
func (nobody) Flush() {}
