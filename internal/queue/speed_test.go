package queue

import (
	"fmt"
	"testing"

	"github.com/warrenmq/warren/internal/message"
)

// mill is a queue in steady state: each turn a batch of messages comes, and as many go.
type mill struct {
	queue    Queue
	consumer *Consumer
	commands []Command
	effects  []Effect
	held     []uint64 // sequence numbers to acknowledge, oldest first
	logged   bool
	last     uint64 // number given
	now      int64
}

type millKind struct {
	name    string
	noAck   bool
	backlog int // messages that are ready all the time
	held    int // messages that are unacknowledged all the time
	batch   int // messages in one Apply
	logged  bool
	special func(s *Settings, c *Consumer) // what is not plain
	ten     bool                           // messages of ten priorities
}

var millKinds = []millKind{
	{name: "no-ack", noAck: true, batch: 1},
	{name: "no-ack", noAck: true, batch: 100},
	{name: "no-ack", noAck: true, batch: 100, backlog: 1000},
	{name: "ack", batch: 1},
	{name: "ack", batch: 100},
	{name: "ack", batch: 1, backlog: 1000},
	{name: "ack", batch: 100, backlog: 1000},
	{name: "ack", batch: 100, held: 1000},
	{name: "logged-no-ack", noAck: true, batch: 100, logged: true},
	{name: "logged-ack", batch: 100, logged: true},
	{name: "logged-ack", batch: 100, held: 1000, logged: true},
	{name: "ten", ten: true, batch: 100, backlog: 1000},
	{name: "ten", ten: true, batch: 1, backlog: 1000},
	{name: "ten-no-ack", ten: true, batch: 100, backlog: 1000, noAck: true},
	{name: "ten-priorities", ten: true, batch: 100, backlog: 1000, special: millPriorities},
	{name: "ten-priorities", ten: true, batch: 1, backlog: 1000, special: millPriorities},
	{name: "ten-priorities-no-ack", ten: true, batch: 100, backlog: 1000, noAck: true,
		special: millPriorities},
	{name: "rules", batch: 100, backlog: 1000, held: 100, special: millRules},
	{name: "rules", batch: 100, backlog: 1000, noAck: true, special: millRules},
}

func millPriorities(s *Settings, _ *Consumer) { s.MaxPriority = 9 }

// millRules sets everything that does not make a message go.
func millRules(s *Settings, c *Consumer) {
	s.MessageTTL, s.Expires, s.ConsumerTimeout = 1_000_000_000, 1_000_000_000, 1_000_000_000
	s.MaxLength, s.MaxBytes, s.DeliveryLimit = 1_000_000, 1_000_000_000, 20
	s.DeadLetters, s.SingleActive = AtMostOnce, true
	c.Priority = 7
}

func (k millKind) String() string {
	return fmt.Sprintf("%s/batch=%d/backlog=%d/held=%d", k.name, k.batch, k.backlog, k.held)
}

func newMill(tb testing.TB, k millKind) *mill {
	tb.Helper()
	// Where a backlog has to stay, the prefetch or the gate lets go out what comes in.
	w := &mill{consumer: &Consumer{NoAck: k.noAck}, logged: k.logged, last: uint64(k.held)}
	if !k.noAck {
		w.last += uint64(k.backlog + k.batch)
	}
	switch {
	case k.backlog == 0:
	case k.noAck:
		w.consumer.Gate = &millGate{}
	default:
		w.consumer.Prefetch = k.held + k.batch
	}
	if k.special != nil {
		s := Plain()
		k.special(&s, w.consumer)
		w.queue.Configure(s)
	}
	m := millMessage(tb, 0)
	commands := []Command{{Kind: Subscribe, Consumer: w.consumer}}
	fill := k.backlog + k.held
	if !k.noAck {
		fill += k.batch
	}
	for i := range fill {
		if k.ten {
			m = millMessage(tb, i%10)
		}
		commands = append(commands, Command{Kind: Enqueue, Message: m})
	}
	for more := true; more; commands = nil {
		w.effects, more = w.queue.Apply(0, commands, w.effects[:0])
		w.perform(tb)
	}
	for i := range k.batch {
		if k.ten {
			m = millMessage(tb, i%10)
		}
		w.commands = append(w.commands, Command{Kind: Enqueue, Message: m})
	}
	return w
}

func (w *mill) perform(tb testing.TB) (delivered int) {
	for i := range w.effects {
		if w.effects[i].Kind == Deliver {
			delivered++
			if !w.consumer.NoAck {
				w.held = append(w.held, w.effects[i].Seq)
			}
		}
	}
	return delivered
}

// turn lets one batch in and out.
func (w *mill) turn(tb testing.TB, batch int) {
	commands := w.commands[:batch]
	if w.logged {
		for i := range commands {
			w.last++
			commands[i].Seq, commands[i].Message.ID = w.last, w.last
		}
	}
	if w.consumer.Gate != nil {
		w.consumer.Gate.(*millGate).budget = batch
		commands = append(commands, Command{Kind: Resume, Consumer: w.consumer})
	}
	if !w.consumer.NoAck {
		for _, seq := range w.held[:batch] {
			commands = append(commands, Command{Kind: Ack, Seq: seq})
		}
		w.held = w.held[:copy(w.held, w.held[batch:])]
	}
	w.commands = commands
	delivered := 0
	for more := true; more; commands = nil {
		w.effects, more = w.queue.Apply(w.now, commands, w.effects[:0])
		delivered += w.perform(tb)
	}
	w.now++
	if delivered != batch {
		tb.Fatalf("%d delivered, want %d", delivered, batch)
	}
}

type millGate struct{ budget int }

func (g *millGate) Admit(int) bool {
	g.budget--
	return g.budget >= 0
}

func millMessage(tb testing.TB, priority int) message.Message {
	tb.Helper()
	properties := testProperties("", false, uint8(priority), priority > 0)
	if priority == 0 {
		properties = []byte{0, 0}
	}
	var arena message.Arena
	var b message.Builder
	if err := b.Begin(&arena, nil, []byte("queue"), properties, 16); err != nil {
		tb.Fatal(err)
	}
	b.Append(make([]byte, 16))
	return b.Done()
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	const turns = 2000
	for _, k := range millKinds {
		t.Run(k.String(), func(t *testing.T) {
			w := newMill(t, k)
			many := func() {
				for range turns {
					w.turn(t, k.batch)
				}
			}
			for range 2 * folderSlots / k.batch { // from here on folders are used again
				w.turn(t, k.batch)
			}
			// Whole numbers are all AllocsPerRun tells: a run is many turns.
			if allocs := testing.AllocsPerRun(2, many); allocs > 0 {
				t.Errorf("%v allocations in %d turns of %d messages", allocs, turns, k.batch)
			}
			if got := w.queue.Ready(); got != k.backlog {
				t.Errorf("backlog is %d, want %d", got, k.backlog)
			}
		})
	}
}

// BenchmarkQueue takes a message in, out and, where that is asked for, acknowledged.
func BenchmarkQueue(b *testing.B) {
	for _, k := range millKinds {
		b.Run(k.String(), func(b *testing.B) {
			w := newMill(b, k)
			w.turn(b, k.batch)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N / k.batch {
				w.turn(b, k.batch)
			}
		})
	}
}

// BenchmarkRequeue puts a thousand messages back and takes them again.
func BenchmarkRequeue(b *testing.B) {
	const count = 1000
	w := newMill(b, millKind{batch: 1, held: count - 1})
	w.commands = w.commands[:0]
	for i := range w.held {
		w.commands = append(w.commands, Command{Kind: Return, Seq: w.held[(i*7)%count]})
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N / count {
		for commands, more := w.commands, true; more; commands = nil {
			w.effects, more = w.queue.Apply(0, commands, w.effects[:0])
		}
	}
}
