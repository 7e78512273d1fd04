package queue

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/message"
)

// Random batches of commands go to a queue and to its twin. Both must want the same of the
// world, ask the same of the gates, and agree on every total; the queue's own books must
// balance after every batch; in the end every message that was not settled is still there.
// A failure prints the flags that repeat it; RAPID_CHECKS=10000 looks longer.
func TestQueueDoesWhatItsSlowTwinDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair(t)
		t.Repeat(map[string]func(*rapid.T){
			"batches": func(t *rapid.T) {
				p.t = t
				for range rapid.IntRange(1, 8).Draw(t, "batches") {
					p.batch()
					p.checkTotals()
					checkBooks(t, &p.queue)
				}
			},
		})
		p.t = t
		p.drain()
	})
}

const (
	pairConsumers = 5
	// The last two are no subscribers: they only get, with and without acknowledgement.
	pairGetter, pairNoAckGetter = pairConsumers, pairConsumers + 1
	pairBatchMax                = 20
	pairLarge                   = deliveryBytesMax / 3
)

var pairBody [pairLarge]byte

// pair is a queue and its twin.
type pair struct {
	t     *rapid.T
	queue Queue
	twin  twin
	// numbered: messages come with numbers, now and then out of order.
	numbered bool
	last     uint64   // highest number given
	missing  []uint64 // given, not used yet
	more     bool     // the last Apply said so
	arena    message.Arena

	consumers     []*Consumer
	twinConsumers []*twinConsumer

	messages  []*twinMessage // by number
	delivered []int          // numbers of those that were delivered to somebody who settles
	known     map[int]bool   // the same

	commands []Command
	twinDoes []func() []twinEffect
}

func newPair(t *rapid.T) *pair {
	p := &pair{t: t, known: make(map[int]bool), numbered: rapid.Bool().Draw(t, "numbered")}
	for i := range pairConsumers {
		p.addConsumer(
			Consumer{
				Prefetch:  rapid.SampledFrom([]int{0, 0, 1, 2, 3, 300}).Draw(t, "prefetch"),
				NoAck:     rapid.IntRange(0, 3).Draw(t, "no-ack") == 0,
				Exclusive: i == 0 && rapid.Bool().Draw(t, "exclusive"),
			},
			rapid.Bool().Draw(t, "gated"),
		)
	}
	p.addConsumer(Consumer{}, false)
	p.addConsumer(Consumer{NoAck: true}, false)
	return p
}

func (p *pair) addConsumer(c Consumer, gated bool) {
	number := len(p.consumers)
	c.Owner = number
	w := &twinConsumer{number: number, prefetch: c.Prefetch, noAck: c.NoAck,
		exclusive: c.Exclusive}
	if gated {
		c.Gate, w.gate = &budgetGate{budget: 1}, &budgetGate{budget: 1}
	}
	p.consumers = append(p.consumers, &c)
	p.twinConsumers = append(p.twinConsumers, w)
}

// batch applies some commands, possibly none. Whether the Apply before had more to do makes no
// difference to what may follow.
func (p *pair) batch() {
	p.commands, p.twinDoes = p.commands[:0], p.twinDoes[:0]
	switch rapid.IntRange(0, 63).Draw(p.t, "shape") {
	case 41:
		p.burst()
	case 42, 43, 44, 45:
		p.returnAll()
	default:
		for range rapid.IntRange(0, pairBatchMax).Draw(p.t, "commands") {
			p.command()
		}
	}
	p.apply()
}

// What is drawn leans towards the beginning of a range; what shall be rare stands in its middle.
var pairKinds = []Kind{
	Enqueue, Ack, Subscribe, Cancel, Enqueue, Return, Resume, Enqueue,
	Get, Ack, Enqueue, Resume, Discard, Enqueue, Return, Enqueue,
}

func (p *pair) command() {
	t, w := p.t, &p.twin
	kind := rapid.SampledFrom(pairKinds).Draw(t, "kind")
	switch rapid.IntRange(0, 511).Draw(t, "rare") {
	case 300:
		kind = Delete
	case 301, 302, 303, 304:
		kind = Purge
	}
	switch kind {
	case Enqueue:
		size := rapid.IntRange(0, 31).Draw(t, "size")
		if size == 22 {
			size = pairLarge
		}
		p.enqueue(size, rapid.Bool().Draw(t, "logged"))
	case Ack, Discard, Return:
		p.settle(kind)
	case Purge:
		p.add(Command{Kind: kind}, w.purge)
	case Delete:
		p.add(Command{Kind: kind}, w.end)
	case Get:
		i := rapid.IntRange(pairGetter, pairNoAckGetter).Draw(t, "getter")
		p.add(Command{Kind: kind, Consumer: p.consumers[i]},
			func() []twinEffect { return w.get(p.twinConsumers[i]) })
	default:
		p.subscription(kind)
	}
}

func (p *pair) add(c Command, twinDoes func() []twinEffect) {
	p.commands = append(p.commands, c)
	p.twinDoes = append(p.twinDoes, twinDoes)
}

// subscription adds a command about one of the consumers that subscribe.
func (p *pair) subscription(kind Kind) {
	i := rapid.IntRange(0, pairConsumers-1).Draw(p.t, "consumer")
	c, twinC := p.consumers[i], p.twinConsumers[i]
	do := func() []twinEffect { return p.twin.cancel(twinC) }
	switch kind {
	case Subscribe:
		for _, other := range p.commands { // nobody subscribes twice
			if other.Consumer == c {
				return
			}
		}
		if slices.Contains(p.twin.consumers, twinC) {
			return
		}
		do = func() []twinEffect { return p.twin.subscribe(twinC) }
	case Resume:
		if twinC.gate != nil {
			budget := rapid.IntRange(0, 5).Draw(p.t, "budget")
			c.Gate.(*budgetGate).budget, twinC.gate.budget = budget, budget
		}
		do = func() []twinEffect {
			if !p.twin.deleted {
				p.twin.queueUp(twinC)
			}
			return nil
		}
	}
	p.add(Command{Kind: kind, Consumer: c}, do)
}

func (p *pair) enqueue(size int, logged bool) {
	m := &twinMessage{number: len(p.messages)}
	key := strconv.Itoa(m.number)
	m.size = size + len(key)
	var b message.Builder
	if err := b.Begin(&p.arena, nil, []byte(key), nil, uint64(size)); err != nil {
		p.t.Fatal(err)
	}
	b.Append(pairBody[:size])
	c := Command{Kind: Enqueue, Message: b.Done()}
	m.seq = p.nextSeq()
	if p.numbered {
		c.Seq = m.seq
	}
	if logged {
		m.logged, c.Message.ID = true, m.seq
	}
	p.messages = append(p.messages, m)
	p.add(c, func() []twinEffect { return p.twin.enqueue(m) })
}

// nextSeq gives a number: the next one, one of those after it, or one that is missing.
func (p *pair) nextSeq() uint64 {
	t := p.t
	if p.numbered && len(p.missing) > 0 && rapid.IntRange(0, 2).Draw(t, "late") == 1 {
		i := rapid.IntRange(0, len(p.missing)-1).Draw(t, "which")
		seq := p.missing[i]
		p.missing = slices.Delete(p.missing, i, i+1)
		return seq
	}
	if p.numbered && rapid.IntRange(0, 15).Draw(t, "skip") == 7 {
		for range rapid.SampledFrom([]int{1, 2, 7, 100}).Draw(t, "skipped") {
			p.last++
			p.missing = append(p.missing, p.last)
		}
	}
	p.last++
	return p.last
}

// settle names a message that was delivered once: mostly one that is unacknowledged still.
// Sometimes it names none at all.
func (p *pair) settle(kind Kind) {
	names := p.delivered
	if rapid.IntRange(0, 9).Draw(p.t, "stale") > 0 {
		names = nil
		for _, m := range p.twin.in(twinUnacked) {
			names = append(names, m.number)
		}
	}
	if len(names) == 0 {
		p.add(Command{Kind: kind, Seq: p.queue.newest + 1000},
			func() []twinEffect { return nil })
		return
	}
	p.settleOne(kind, rapid.SampledFrom(names).Draw(p.t, "message"))
}

func (p *pair) settleOne(kind Kind, number int) {
	m := p.messages[number]
	p.add(Command{Kind: kind, Seq: m.seq}, func() []twinEffect {
		if kind == Return {
			p.twin.putBack(m)
			return nil
		}
		return p.twin.settle(m)
	})
}

// burst fills the queue so that deliveries come to their limit.
func (p *pair) burst() {
	for range rapid.IntRange(DeliveriesMax-6, DeliveriesMax+50).Draw(p.t, "burst") {
		p.enqueue(1, false)
	}
}

// returnAll puts back everything that is unacknowledged, in any order.
func (p *pair) returnAll() {
	for _, m := range rapid.Permutation(p.twin.in(twinUnacked)).Draw(p.t, "order") {
		p.settleOne(Return, m.number)
	}
}

// apply lets both carry out the batch and compares what they want done.
func (p *pair) apply() {
	effects, more := p.queue.Apply(0, p.commands, nil)
	var settled []uint64
	effects = slices.DeleteFunc(effects, func(e Effect) bool {
		for seq := e.Seq; e.Kind == Settled && seq <= e.Last(); seq++ {
			settled = append(settled, seq)
		}
		return e.Kind == Settled
	})
	var want []twinEffect
	for _, do := range p.twinDoes {
		want = append(want, do()...)
	}
	rest, wantMore := p.twin.dispatch()
	want = append(want, rest...)
	var got []twinEffect
	for i := range effects {
		got = append(got, p.translate(&effects[i]))
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			p.t.Fatalf("effect %d differs:\n got %+v\nwant %+v", i, got[i:], want[i:])
		}
	}
	p.checkSettled(settled)
	if more != (wantMore || p.queue.purging.any()) {
		p.t.Fatalf("more to do: got %v, want %v", more, wantMore)
	}
	p.more = more
	p.twin.messages = slices.DeleteFunc(p.twin.messages,
		func(m *twinMessage) bool { return m.state == twinGone })
}

// checkSettled: what is told as settled is what went, and besides only what the log never had.
func (p *pair) checkSettled(got []uint64) {
	logged := make(map[uint64]bool) // by number: the log has it
	for _, m := range p.messages {
		logged[m.seq] = m.logged
	}
	live := make(map[uint64]bool)
	for _, m := range p.twin.messages {
		live[m.seq] = m.state != twinGone
	}
	told := make(map[uint64]bool)
	for _, seq := range got {
		told[seq] = true
		if _, came := logged[seq]; live[seq] || !came {
			p.t.Fatalf("message %d is told as settled, came %v", seq, came)
		}
	}
	// What a purge dropped may be told later: at the latest when nothing is left to do.
	p.twin.settled = slices.DeleteFunc(p.twin.settled, func(seq uint64) bool { return told[seq] })
	if len(p.twin.settled) > 0 && !p.queue.purging.any() {
		p.t.Fatalf("messages %v went without a word", p.twin.settled)
	}
}

// translate puts an effect into the twin's words and checks its sequence number.
func (p *pair) translate(e *Effect) twinEffect {
	w := twinEffect{Kind: e.Kind, Consumer: -1, Message: -1, Ready: -1}
	if e.Consumer != nil {
		w.Consumer = e.Consumer.Owner.(int)
	}
	if e.Kind == Purged || e.Kind == Deliver {
		w.Ready = e.Ready
	}
	if e.Kind != Deliver {
		return w
	}
	number, err := strconv.Atoi(string(e.Message.RoutingKey()))
	if err != nil {
		p.t.Fatal(err)
	}
	m := p.messages[number]
	id := uint64(0)
	if m.logged {
		id = m.seq
	}
	if e.Message.ID != id || e.Message.Size() != m.size || e.Seq != m.seq {
		p.t.Fatalf("message %d came with id %d, size %d, number %d", number, e.Message.ID,
			e.Message.Size(), e.Seq)
	}
	w.Message, w.Redelivered = number, e.Redelivered
	if !e.Consumer.NoAck && !p.known[number] {
		p.known[number] = true
		p.delivered = append(p.delivered, number)
	}
	return w
}

func (p *pair) checkTotals() {
	q, w, t := &p.queue, &p.twin, p.t
	ready, unacked := len(w.in(twinReady)), len(w.in(twinUnacked))
	if q.Ready() != ready || q.UnackedCount() != unacked || q.Bytes() != w.bytes() ||
		q.ConsumerCount() != len(w.consumers) || q.Deleted() != w.deleted {
		t.Fatalf("got %d ready, %d unacked, %d bytes, %d consumers, deleted %v; "+
			"want %d, %d, %d, %d, %v", q.Ready(), q.UnackedCount(), q.Bytes(),
			q.ConsumerCount(), q.Deleted(), ready, unacked, w.bytes(), len(w.consumers), w.deleted)
	}
	for i, c := range p.consumers {
		held := c.Unacked()
		if subscribes := i < pairConsumers; subscribes && c.Prefetch > 0 && held > c.Prefetch {
			t.Fatalf("consumer %d holds %d, prefetch is %d", i, held, c.Prefetch)
		}
		if want := w.heldBy(p.twinConsumers[i]); !w.deleted && held != want {
			t.Fatalf("consumer %d holds %d, want %d", i, held, want)
		}
		if c.Gate == nil {
			continue
		}
		gate, want := c.Gate.(*budgetGate), p.twinConsumers[i].gate
		if !slices.Equal(gate.asked, want.asked) {
			t.Fatalf("gate of %d was asked %v, want %v", i, gate.asked, want.asked)
		}
		gate.asked, want.asked = gate.asked[:0], want.asked[:0]
		if !p.more && ready > 0 && c.subscribed && c.hasCredit() && gate.budget > 0 {
			t.Fatalf("consumer %d could take one of %d messages and gets none", i, ready)
		}
	}
}

// drain takes out what is left: everything that is not gone, in the order of the queue.
func (p *pair) drain() {
	var commands []Command
	for _, c := range p.consumers {
		commands = append(commands, Command{Kind: Cancel, Consumer: c})
	}
	var want []int
	for _, m := range p.twin.messages {
		want = append(want, m.number)
		if m.state == twinUnacked {
			commands = append(commands, Command{Kind: Return, Seq: m.seq})
		}
	}
	p.queue.Apply(0, commands, nil)
	var got []int
	get := []Command{{Kind: Get, Consumer: p.consumers[pairNoAckGetter]}}
	for {
		effects, _ := p.queue.Apply(0, get, nil)
		if len(effects) == 0 || effects[0].Kind != Deliver {
			break
		}
		number, _ := strconv.Atoi(string(effects[0].Message.RoutingKey()))
		got = append(got, number)
	}
	if !slices.Equal(got, want) {
		p.t.Fatalf("what was left:\n got %v\nwant %v", got, want)
	}
	if q := &p.queue; q.Ready() != 0 || q.UnackedCount() != 0 || q.Bytes() != 0 {
		p.t.Fatalf("an empty queue says %d ready, %d unacked, %d bytes", q.Ready(),
			q.UnackedCount(), q.Bytes())
	}
	checkBooks(p.t, &p.queue)
}
