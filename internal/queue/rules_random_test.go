package queue

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/message"
)

// Random commands go to a queue with random settings, which may keep little in memory, and to the
// ruler, at times that rise. Whenever the queue has nothing left to do, and the store has answered
// all it was asked, both have told the same of what was delivered, dropped, refused and ended, and
// agree on every total; and the queue has asked to be woken in time for what comes next. What the
// store is told is settled is gone, and in the end the store is empty.
func TestQueueFollowsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newRulesWorld(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.step()
		}
		w.drain()
	})
}

type rulesWorld struct {
	t        *rapid.T
	queue    Queue
	ruler    ruler
	store    shelf
	came     map[uint64]int64 // when a message in the store came; 0: never expires
	last     uint64
	late     []uint64 // numbers that have not come
	restored bool
	wake     int64 // the Wake that is outstanding
	gone     map[uint64]bool
	told     []ruling
	loads    []Effect
	settling []uint64 // told as settled, or dead, in the store still
	spills   []Effect

	consumers []*Consumer
	rulers    []*rulerConsumer

	arena message.Arena
	pool  poisonPool
}

func newRulesWorld(t *rapid.T) *rulesWorld {
	w := &rulesWorld{
		t: t, store: shelf{live: make(map[uint64]message.Message)}, wake: never,
		came: make(map[uint64]int64), gone: make(map[uint64]bool),
	}
	w.queue.paging.shrink = pagedShrink
	w.growArena()
	w.ruler.now = 1000
	w.restored = rapid.IntRange(0, 3).Draw(t, "restored") == 1
	w.ruler.settings = w.drawSettings()
	for i := range 6 {
		c := &Consumer{
			Owner: i, NoAck: rapid.IntRange(0, 3).Draw(t, "no-ack") == 1,
			Prefetch: rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "prefetch"),
			Priority: rapid.SampledFrom([]int{0, 0, 1, -1, 5}).Draw(t, "priority"),
			Timeout:  rapid.SampledFrom([]int64{0, 0, 0, 40}).Draw(t, "timeout"),
		}
		w.consumers = append(w.consumers, c)
		w.rulers = append(w.rulers, &rulerConsumer{number: i, noAck: c.NoAck, getter: i >= 4,
			prefetch: c.Prefetch, priority: c.Priority, timeout: c.Timeout})
	}
	w.queue.Configure(w.ruler.settings)
	w.ruler.usedAt = w.ruler.now
	if w.restored {
		if w.ruler.settings == Plain() {
			w.ruler.settings.DeliveryLimit = 100
			w.queue.Configure(w.ruler.settings)
		}
		w.restore()
	}
	w.queue.SetResidentMax(rapid.SampledFrom([]int{0, 1, 3000}).Draw(t, "resident max"))
	w.apply(nil)
	return w
}

func (w *rulesWorld) drawSettings() Settings {
	t := w.t
	s := Settings{
		MessageTTL:      rapid.SampledFrom([]int64{None, None, 0, 30, 100}).Draw(t, "ttl"),
		Expires:         rapid.SampledFrom([]int64{None, None, 50}).Draw(t, "expires"),
		ConsumerTimeout: rapid.SampledFrom([]int64{None, None, 60}).Draw(t, "consumer timeout"),
		MaxPriority:     rapid.SampledFrom([]uint8{0, 0, 1, 9, 255}).Draw(t, "max priority"),
	}
	return w.drawChanging(s)
}

// drawChanging draws those settings that may change while messages are on disk.
func (w *rulesWorld) drawChanging(s Settings) Settings {
	t := w.t
	s.MaxLength = rapid.SampledFrom([]int64{None, None, 0, 1, 3, 20}).Draw(t, "max length")
	if s.MaxBytes = None; !w.restored { // how large restored bodies are is only guessed
		s.MaxBytes = rapid.SampledFrom([]int64{None, None, 100, 1000}).Draw(t, "max bytes")
	}
	s.DeliveryLimit = rapid.SampledFrom([]int64{None, None, 0, 1, 3}).Draw(t, "delivery limit")
	s.Overflow = rapid.SampledFrom([]Overflow{DropHead, RejectPublish, RejectPublishDeadLetter}).
		Draw(t, "overflow")
	s.DeadLetters = rapid.SampledFrom([]DeadLetters{NoDeadLetters, AtMostOnce, AtLeastOnce}).
		Draw(t, "dead letters")
	if s.DeadLetters == AtLeastOnce && s.Overflow != RejectPublish {
		s.DeadLetters = AtMostOnce
	}
	s.SingleActive = rapid.IntRange(0, 3).Draw(t, "single active") == 1
	return s
}

func (w *rulesWorld) restore() {
	for range rapid.IntRange(1, 60).Draw(w.t, "messages") {
		w.last += uint64(rapid.SampledFrom([]int{1, 1, 1, 3}).Draw(w.t, "step"))
		m, r := w.message(true)
		w.store.live[r.seq] = moved(m)
		m.Release()
		r.state = slotReady
		w.ruler.messages = append(w.ruler.messages, r)
	}
	w.queue.Restore(w.store.extents(w.t, false))
}

// message makes the message of number last.
func (w *rulesWorld) message(logged bool) (message.Message, *ruled) {
	t, s := w.t, &w.ruler.settings
	size := rapid.IntRange(0, 150).Draw(t, "size")
	ttl := rapid.SampledFrom([]int64{None, None, None, 0, 20, 80}).Draw(t, "expiration")
	priority := rapid.IntRange(-3, 10).Draw(t, "message priority")
	properties := testProperties(strconv.FormatInt(ttl, 10), ttl >= 0, uint8(max(0, priority)),
		priority >= 0)
	m := w.build(w.last, properties, size)
	if logged {
		m.ID = w.last
	}
	if s.MessageTTL >= 0 && (ttl < 0 || s.MessageTTL < ttl) {
		ttl = s.MessageTTL
	}
	r := &ruled{seq: w.last, size: m.Size(), body: size, deadline: never,
		priority: min(uint8(max(0, priority)), s.MaxPriority)}
	w.came[r.seq] = 0
	if ttl >= 0 {
		r.deadline = w.ruler.now + ttl
		w.came[r.seq] = w.ruler.now
	}
	return m, r
}

func (w *rulesWorld) step() {
	switch t := w.t; rapid.IntRange(0, 15).Draw(t, "step") {
	case 0, 1, 2:
		w.ruler.now += rapid.SampledFrom([]int64{0, 1, 10, 10, 40, 100, 6000}).Draw(t, "later")
		w.apply(nil)
	case 3:
		w.burst()
	case 4:
		if rapid.IntRange(0, 3).Draw(t, "change") == 1 {
			w.ruler.settings = w.drawChanging(w.ruler.settings)
			w.queue.Configure(w.ruler.settings)
			w.ruler.choose()
			w.apply(nil)
		}
	case 5:
		w.queue.SetResidentMax(rapid.SampledFrom([]int{0, 1, 3000}).Draw(t, "resident max"))
		w.apply(nil)
	case 6, 7, 8:
		w.publish()
	default:
		w.command()
	}
}

// publish adds one message, now and then one that comes late.
func (w *rulesWorld) publish() {
	t := w.t
	if len(w.late) > 0 && rapid.IntRange(0, 4).Draw(t, "arrives") == 2 {
		last := w.last
		w.last = w.late[0]
		w.late = w.late[1:]
		w.enqueue()
		w.last = last
		return
	}
	if w.last++; rapid.IntRange(0, 15).Draw(t, "late") == 7 {
		w.late = append(w.late, w.last)
		return
	}
	w.enqueue()
}

// enqueue lets the message of number last come.
func (w *rulesWorld) enqueue() { w.apply(w.draw(nil)) }

func (w *rulesWorld) draw(to []Command) []Command {
	logged := rapid.Bool().Draw(w.t, "logged")
	m, r := w.message(logged)
	if logged {
		w.store.live[r.seq] = moved(m)
	}
	ticket := rapid.IntRange(0, 3).Draw(w.t, "ticket")
	w.ruler.enqueue(r, ticket)
	return append(to, Command{Kind: Enqueue, Seq: r.seq, Message: m, Ticket: uint32(ticket)})
}

// burst adds messages in one batch: what is decided of each is as if it came alone.
func (w *rulesWorld) burst() {
	var commands []Command
	for range rapid.IntRange(2, 60).Draw(w.t, "burst") {
		w.last++
		commands = w.draw(commands)
		w.ruler.follow(w.rulers)
	}
	w.apply(commands)
}

func (w *rulesWorld) command() {
	t, r := w.t, &w.ruler
	switch rapid.IntRange(0, 9).Draw(t, "command") {
	case 0, 1:
		i := rapid.IntRange(4, 5).Draw(t, "getter")
		r.get(w.rulers[i])
		w.apply([]Command{{Kind: Get, Consumer: w.consumers[i]}})
	case 2, 3:
		w.subscription(rapid.IntRange(0, 3).Draw(t, "consumer"))
	case 4:
		if rapid.IntRange(0, 3).Draw(t, "purge") == 1 {
			ready := r.in(slotReady)
			for _, m := range ready {
				r.gone(m)
			}
			r.tell(ruling{Kind: Purged, Consumer: -1, Count: len(ready)})
			w.apply([]Command{{Kind: Purge}})
		}
	case 5:
		r.use()
		w.apply([]Command{{Kind: Touch}})
	case 6:
		w.answerDead()
	default:
		w.settle()
	}
}

func (w *rulesWorld) subscription(i int) {
	c := w.rulers[i]
	if c.subscribed {
		w.ruler.cancel(c)
		w.apply([]Command{{Kind: Cancel, Consumer: w.consumers[i]}})
		return
	}
	w.ruler.subscribe(c)
	w.apply([]Command{{Kind: Subscribe, Consumer: w.consumers[i]}})
}

func (w *rulesWorld) answerDead() {
	r := &w.ruler
	dead := r.in(slotDead)
	if len(dead) == 0 {
		return
	}
	m := rapid.SampledFrom(dead).Draw(w.t, "dead")
	if m.retryAt != 0 { // it has been answered
		return
	}
	if rapid.Bool().Draw(w.t, "fails") {
		m.retryAt = r.now + retryDeadMS
		w.apply([]Command{{Kind: DeadFailed, Seq: m.seq}})
		return
	}
	r.gone(m)
	w.apply([]Command{{Kind: DeadDone, Seq: m.seq}})
}

func (w *rulesWorld) settle() {
	r := &w.ruler
	held := r.in(slotUnacked)
	if len(held) == 0 {
		return
	}
	m := rapid.SampledFrom(held).Draw(w.t, "message")
	c := Command{Seq: m.seq}
	c.Kind = rapid.SampledFrom([]Kind{Return, Ack, Discard}).Draw(w.t, "kind")
	if by := rapid.IntRange(-5, 5).Draw(w.t, "by"); by >= 0 {
		if c.Consumer = w.consumers[by]; by != m.holder.number {
			w.apply([]Command{c})
			return
		}
	}
	switch c.Kind {
	case Ack:
		r.release(m)
		r.gone(m)
	case Discard:
		r.release(m)
		r.die(m, Rejected)
	case Return:
		r.giveBack(m)
	}
	w.apply([]Command{c})
}

// apply lets the queue carry out commands, and everything that follows, and compares.
func (w *rulesWorld) apply(commands []Command) {
	r := &w.ruler
	r.follow(w.rulers)
	for more := true; more; {
		if r.now >= w.wake {
			w.wake = never
		}
		var effects []Effect
		effects, more = w.queue.Apply(r.now, commands, nil)
		checkBooks(w.t, &w.queue)
		w.perform(effects)
		commands = w.answers()
		more = more || len(commands) > 0
	}
	for _, seq := range w.settling { // the store may take its time for that
		delete(w.store.live, seq)
	}
	w.settling = nil
	w.compare()
	r.effects, w.told = nil, nil
	w.checkTotals()
	if next := r.next(w.rulers); next < w.wake {
		w.t.Fatalf("%s\nsomething happens at %d, the queue is woken at %d", w.describe(), next,
			w.wake)
	}
}

// answers are those of the store, which has been waiting for nothing else.
func (w *rulesWorld) answers() (commands []Command) {
	for _, e := range w.loads {
		count := rapid.SampledFrom([]int{3, 1000}).Draw(w.t, "count")
		loaded := w.store.load(e.Seq, e.Last(), count)
		for i := range loaded.Messages {
			loaded.Messages[i].At = w.came[loaded.Messages[i].Seq]
		}
		commands = append(commands, Command{Kind: LoadDone, Loaded: loaded})
	}
	if len(w.spills) > 0 {
		for _, e := range w.spills {
			w.store.live[e.Seq] = e.Message
			if e.At() != w.came[e.Seq] {
				w.t.Fatalf("message %d came at %d, spilled with %d", e.Seq, w.came[e.Seq], e.At())
			}
		}
		commands = append(commands, Command{Kind: Spilled, Seq: w.spills[0].Seq})
	}
	w.loads, w.spills = nil, nil
	return commands
}

func (w *rulesWorld) perform(effects []Effect) {
	for i := range effects {
		e := &effects[i]
		told := ruling{Kind: e.Kind, Consumer: -1, Seq: e.Seq}
		if e.Consumer != nil {
			told.Consumer = e.Consumer.Owner.(int)
		}
		switch e.Kind {
		case Settled:
			w.settled(e)
			continue
		case Load:
			w.loads = append(w.loads, *e)
			continue
		case Spill:
			w.checkMessage(e)
			w.spills = append(w.spills, *e)
			w.spills[len(w.spills)-1].Message = moved(e.Message)
			continue
		case Wake:
			if e.At() >= w.wake {
				w.t.Fatalf("wake at %d, %d is outstanding", e.At(), w.wake)
			}
			w.wake = e.At()
			continue
		case Deliver:
			w.checkMessage(e)
			if e.Consumer.NoAck {
				e.Message.Release()
			}
			told.Count, told.Redelivered, told.Deliveries = e.Ready, e.Redelivered, e.DeliveryCount
		case Purged:
			told.Count = e.Ready
		case RefusedPublish:
			told.Count = int(e.Ticket())
		case Dead:
			told.Reason, told.Deliveries = e.Reason, e.DeliveryCount
			if _, stored := w.store.live[e.Seq]; stored != e.Stored {
				w.t.Fatalf("message %d, dead: stored %v, told %v", e.Seq, stored, e.Stored)
			}
			w.checkMessage(e)
			if !e.Kept() {
				e.Message.Release()
				w.settling = append(w.settling, e.Seq)
			}
		}
		w.told = append(w.told, told)
	}
}

func (w *rulesWorld) settled(e *Effect) {
	for seq := e.Seq; seq <= e.Last(); seq++ {
		if slices.ContainsFunc(w.ruler.messages, func(m *ruled) bool { return m.seq == seq }) {
			w.t.Fatalf("message %d is told as settled", seq)
		}
		w.settling = append(w.settling, seq)
	}
}
