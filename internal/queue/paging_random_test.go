package queue

import (
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/warrenmq/warren/internal/message"
)

// A queue that may keep little in memory works with a store that answers when it likes, while
// messages come out of order, consumers come and go, and purges fall between question and
// answer. Nothing is lost, nothing comes twice, all of it comes in order; what the store is told
// is settled is gone, and in the end the store is empty.
func TestPagedQueueLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newPagedWorld(t)
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.step()
			checkBooks(t, &w.queue)
			if w.queue.deleted {
				return
			}
		}
		w.drain()
	})
}

const pagedShrink = 6 // a head window of 4 KiB

type pagedWorld struct {
	ledger
	t     *rapid.T
	queue Queue
	store shelf
	last  uint64 // number given
	lies  bool   // what the queue was restored with is not right

	consumers  []*Consumer
	subscribed map[*Consumer]bool
	asked      []*Consumer // whose Get waits for an answer, in order
	loads      []Effect    // without an answer
	spill      []Numbered  // without an answer
	failed     bool        // a load failed, and there was no Retry
	noSpill    bool        // the same for a spill
}

func newPagedWorld(t *rapid.T) *pagedWorld {
	w := &pagedWorld{
		t: t, ledger: newLedger(), subscribed: make(map[*Consumer]bool),
		store: shelf{live: make(map[uint64]message.Message)},
	}
	w.queue.paging.shrink = pagedShrink
	for range 3 {
		w.consumers = append(w.consumers, &Consumer{
			Prefetch: rapid.SampledFrom([]int{1, 5, 100}).Draw(t, "prefetch"),
			NoAck:    rapid.IntRange(0, 3).Draw(t, "no-ack") == 0,
		})
	}
	for i := range 4 {
		w.consumers = append(w.consumers, &Consumer{NoAck: i%2 == 0})
	}
	if rapid.Bool().Draw(t, "restored") {
		for range rapid.IntRange(1, 200).Draw(t, "messages") {
			w.last += uint64(rapid.SampledFrom([]int{1, 1, 1, 2, 90}).Draw(t, "step"))
			m := w.message(true)
			w.store.live[w.last] = m
			w.add(w.last)
			w.unread[w.last] = true
		}
		w.lies = rapid.IntRange(0, 3).Draw(t, "lies") == 2
		w.queue.Restore(w.store.extents(t, w.lies))
	}
	w.setResidentMax()
	return w
}

func (w *pagedWorld) setResidentMax() {
	w.queue.SetResidentMax(rapid.SampledFrom([]int{1, 2000, 20000, 0}).Draw(w.t, "resident max"))
}

// message makes the message of number last.
func (w *pagedWorld) message(logged bool) message.Message {
	size := rapid.IntRange(0, 150).Draw(w.t, "size")
	if rapid.IntRange(0, 60).Draw(w.t, "large") == 31 {
		size = 6000
	}
	m := shelfMessage(w.t, w.last, size, logged)
	w.sizes[w.last] = m.Size()
	return m
}

// step applies some commands.
func (w *pagedWorld) step() {
	var commands []Command
	switch shape := rapid.IntRange(0, 31).Draw(w.t, "shape"); shape {
	case 10:
		w.setResidentMax()
	case 11:
		w.purge()
		return
	case 12, 13, 14, 15, 16, 17:
		count := rapid.IntRange(20, 200).Draw(w.t, "burst")
		logged := rapid.IntRange(0, 2).Draw(w.t, "burst logged")
		for i := range count {
			commands = w.publish(logged == 0 || logged == 1 && i%3 == 0, commands)
		}
	case 18:
		if rapid.IntRange(0, 9).Draw(w.t, "delete") == 5 {
			w.end()
			return
		}
	default:
		for range rapid.SampledFrom([]int{1, 1, 1, 2, 8}).Draw(w.t, "commands") {
			commands = w.command(commands)
		}
	}
	w.apply(commands)
}

func (w *pagedWorld) command(to []Command) []Command {
	t := w.t
	switch rapid.IntRange(0, 12).Draw(t, "command") {
	case 0, 1:
		return w.publish(rapid.Bool().Draw(t, "logged"), to)
	case 2:
		return w.arrive(to)
	case 3, 4:
		return w.settle(to)
	case 5:
		return w.subscription(to)
	case 6, 7, 8:
		return w.get(to)
	case 9, 10:
		return w.answerLoad(to)
	case 11:
		return w.answerSpill(to)
	}
	if len(w.loads) == 0 && w.spill == nil {
		w.failed, w.noSpill = false, false
		return append(to, Command{Kind: Retry})
	}
	return to
}

// publish numbers a message, and mostly enqueues it at once.
func (w *pagedWorld) publish(logged bool, to []Command) []Command {
	w.last++
	m := w.message(logged)
	if logged {
		w.store.live[w.last] = m
	}
	w.coming[w.last] = m
	if rapid.IntRange(0, 20).Draw(w.t, "late") == 11 {
		return to
	}
	return w.enqueue(w.last, to)
}

func (w *pagedWorld) arrive(to []Command) []Command {
	seqs := make([]uint64, 0, len(w.coming))
	for seq := range w.coming {
		seqs = append(seqs, seq)
	}
	if len(seqs) == 0 {
		return to
	}
	slices.Sort(seqs)
	return w.enqueue(rapid.SampledFrom(seqs).Draw(w.t, "arrives"), to)
}

func (w *pagedWorld) enqueue(seq uint64, to []Command) []Command {
	m := w.coming[seq]
	delete(w.coming, seq)
	w.add(seq)
	w.unread[seq] = true
	return append(to, Command{Kind: Enqueue, Seq: seq, Message: m})
}

func (w *pagedWorld) settle(to []Command) []Command {
	seqs := make([]uint64, 0, len(w.held))
	for seq := range w.held {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	if len(seqs) == 0 {
		return to
	}
	kind := rapid.SampledFrom([]Kind{Ack, Discard, Return}).Draw(w.t, "kind")
	if many := rapid.IntRange(0, 3).Draw(w.t, "many"); many < 3 {
		seqs = []uint64{rapid.SampledFrom(seqs).Draw(w.t, "message")}
	}
	for _, seq := range seqs {
		delete(w.held, seq)
		if kind == Return {
			w.add(seq)
		}
		to = append(to, Command{Kind: kind, Seq: seq})
	}
	return to
}

func (w *pagedWorld) subscription(to []Command) []Command {
	c := w.consumers[rapid.IntRange(0, 2).Draw(w.t, "consumer")]
	kind := Subscribe
	if w.subscribed[c] {
		kind = Cancel
	}
	w.subscribed[c] = !w.subscribed[c]
	return append(to, Command{Kind: kind, Consumer: c})
}

func (w *pagedWorld) get(to []Command) []Command {
	c := w.consumers[rapid.IntRange(3, len(w.consumers)-1).Draw(w.t, "getter")]
	if at := slices.Index(w.asked, c); at >= 0 {
		// Commands before this one might have answered it.
		if len(to) > 0 || rapid.IntRange(0, 3).Draw(w.t, "withdraw") != 2 {
			return to
		}
		w.asked = slices.Delete(w.asked, at, at+1)
		return append(to, Command{Kind: Cancel, Consumer: c})
	}
	w.asked = append(w.asked, c)
	return append(to, Command{Kind: Get, Consumer: c})
}

// answerLoad answers one of the loads; one from before a purge finds what still lives.
func (w *pagedWorld) answerLoad(to []Command) []Command {
	if len(w.loads) == 0 {
		return to
	}
	i := rapid.IntRange(0, len(w.loads)-1).Draw(w.t, "load")
	e := w.loads[i]
	w.loads = slices.Delete(w.loads, i, i+1)
	if rapid.IntRange(0, 7).Draw(w.t, "fails") == 5 {
		w.failed = w.failed || e.Seq == w.queue.paging.loading.First
		return append(to, Command{Kind: LoadFailed, Seq: e.Seq})
	}
	count := rapid.SampledFrom([]int{1, 10, 1000}).Draw(w.t, "count")
	return append(to, Command{Kind: LoadDone, Loaded: w.store.load(e.Seq, e.Last(), count)})
}

func (w *pagedWorld) answerSpill(to []Command) []Command {
	if w.spill == nil {
		return to
	}
	run := w.spill
	w.spill = nil
	if rapid.IntRange(0, 7).Draw(w.t, "fails") == 5 {
		w.noSpill = true
		return append(to, Command{Kind: SpillFailed, Seq: run[0].Seq})
	}
	for _, m := range run {
		w.store.live[m.Seq] = m.Message
	}
	return append(to, Command{Kind: Spilled, Seq: run[0].Seq})
}

func (w *pagedWorld) purge() {
	for seq := range w.unread {
		delete(w.unread, seq)
	}
	dropped := len(w.ready)
	w.ready, w.failed = nil, false
	effects, more := w.queue.Apply(0, []Command{{Kind: Purge}}, nil)
	for _, e := range effects {
		if e.Kind == Purged && e.Ready != dropped && !w.lies {
			w.t.Fatalf("%d purged, want %d", e.Ready, dropped)
		}
	}
	w.lies = false
	w.perform(effects)
	w.finish(more)
}

// end deletes the queue: every consumer hears of it, and whoever waits for an answer.
func (w *pagedWorld) end() {
	told := make(map[*Consumer]bool)
	effects, _ := w.queue.Apply(0, []Command{{Kind: Delete}}, nil)
	for _, e := range effects {
		told[e.Consumer] = true
	}
	for _, c := range w.consumers {
		if told[c] != (w.subscribed[c] || slices.Contains(w.asked, c)) {
			w.t.Fatalf("consumer %v told: %v", c, told[c])
		}
	}
	// What comes too late is without effect.
	for len(w.loads) > 0 || w.spill != nil {
		if effects, more := w.queue.Apply(0, w.answerSpill(w.answerLoad(nil)), nil); more ||
			len(effects) > 0 {
			w.t.Fatalf("a queue that has ended wants %v", effects)
		}
	}
}

func (w *pagedWorld) apply(commands []Command) {
	effects, more := w.queue.Apply(0, commands, nil)
	w.perform(effects)
	w.finish(more)
}

// finish lets the queue do what it has left to do.
func (w *pagedWorld) finish(more bool) {
	clear(w.fresh)
	for more && !w.queue.deleted {
		checkBooks(w.t, &w.queue)
		var effects []Effect
		effects, more = w.queue.Apply(0, nil, nil)
		w.perform(effects)
	}
	w.checkTotals()
	w.checkProgress()
	w.checkResident()
}

// perform carries out effects, and checks that they may be wanted.
func (w *pagedWorld) perform(effects []Effect) {
	for i := range effects {
		e := &effects[i]
		switch e.Kind {
		case Deliver:
			w.deliver(e)
		case Empty:
			w.answered(e.Consumer)
			if len(w.ready) > len(w.fresh) && !w.lies {
				w.t.Fatalf("empty, and %v are ready, of them new %v", w.ready, w.fresh)
			}
		case Unavailable:
			w.answered(e.Consumer)
		case Load:
			w.loads = append(w.loads, *e)
		case Spill:
			if _, kept := w.store.live[e.Seq]; kept || w.noSpill {
				w.t.Fatalf("message %d to be spilled, kept %v, failed %v", e.Seq, kept, w.noSpill)
			}
			w.spill = append(w.spill, Numbered{Seq: e.Seq, Message: e.Message})
		}
	}
	for i := range effects {
		for seq := effects[i].Seq; effects[i].Kind == Settled && seq <= effects[i].Last(); seq++ {
			if !w.gone(seq) {
				w.t.Fatalf("message %d is told as settled", seq)
			}
			delete(w.store.live, seq)
		}
	}
}

// answered: who asked first is answered first.
func (w *pagedWorld) answered(c *Consumer) {
	if len(w.asked) == 0 || w.asked[0] != c {
		w.t.Fatalf("%v is answered, %v asked", c, w.asked)
	}
	w.asked = w.asked[1:]
}

// deliver: nothing that was ready before these commands is passed over.
func (w *pagedWorld) deliver(e *Effect) {
	for _, seq := range w.ready {
		if !w.fresh[seq] && seq < e.Seq {
			w.t.Fatalf("message %d delivered, %d comes before it", e.Seq, seq)
		}
	}
	if !w.remove(e.Seq) || e.Redelivered == w.unread[e.Seq] ||
		string(e.Message.RoutingKey()) != strconv.FormatUint(e.Seq, 10) ||
		e.Message.Size() != w.sizes[e.Seq] {
		w.t.Fatalf("message %d delivered, ready %v, unread %v: %q", e.Seq, w.ready,
			w.unread[e.Seq], e.Message.RoutingKey())
	}
	delete(w.unread, e.Seq)
	if slices.Index(w.consumers, e.Consumer) >= 3 {
		w.answered(e.Consumer)
	}
	if !e.Consumer.NoAck {
		w.held[e.Seq] = e.Consumer
	}
}

func (w *pagedWorld) checkTotals() {
	q := &w.queue
	if w.lies = w.lies && len(q.out.ranges) > 0; w.lies {
		return
	}
	if q.Ready() != len(w.ready) || q.UnackedCount() != len(w.held) || q.Bytes() != w.bytes() {
		w.t.Fatalf("got %d ready, %d unacked, %d bytes; want %d, %d, %d", q.Ready(),
			q.UnackedCount(), q.Bytes(), len(w.ready), len(w.held), w.bytes())
	}
}

// checkProgress: whoever could take a message gets one, or the queue waits for the store.
func (w *pagedWorld) checkProgress() {
	wanting := len(w.asked)
	if w.failed && wanting > 0 {
		w.t.Fatalf("%d wait for what cannot be loaded", wanting)
	}
	for c, subscribed := range w.subscribed {
		if subscribed && (c.NoAck || c.hasCredit()) {
			wanting++
		}
	}
	if wanting == 0 || len(w.ready) == 0 && len(w.asked) == 0 || w.failed {
		return
	}
	loading := w.queue.paging.loading
	if !slices.ContainsFunc(w.loads, func(e Effect) bool {
		return e.Seq == loading.First && e.Last() == loading.Last
	}) {
		w.t.Fatalf("%d want messages, %d are ready, and nothing happens", wanting, len(w.ready))
	}
}

// checkResident: what may be paged out is paged out.
func (w *pagedWorld) checkResident() {
	const largest = 6100
	q := &w.queue
	if q.paging.residentMax == 0 || w.noSpill || w.spill != nil || len(w.loads) > 0 {
		return
	}
	returned := 0
	for _, seq := range q.returned {
		returned += w.sizes[seq] + MessageOverhead
	}
	head := q.shrunk(headWindow) + returned + largest
	most := max(q.paging.residentMax, head) + 2*q.shrunk(runMin)
	if n := len(q.out.ranges); n > 1 && q.out.beyond > q.out.ranges[n-1].after &&
		q.ResidentBytes() > max(q.paging.residentMax, head) {
		w.t.Fatalf("between what is out are messages, %+v", q.out)
	}
	if len(q.gaps) > 0 {
		most += q.shrunk(gapPatienceBytes) + largest
	}
	if q.ResidentBytes() > most {
		w.t.Fatalf("%d bytes resident, at most %d; out %+v, gaps %v", q.ResidentBytes(), most,
			q.out, q.gaps)
	}
}

// drain takes out what is left.
func (w *pagedWorld) drain() {
	for len(w.coming) > 0 {
		w.apply(w.arrive(nil))
	}
	var commands []Command
	for _, c := range w.consumers {
		commands = append(commands, Command{Kind: Cancel, Consumer: c})
		delete(w.subscribed, c)
	}
	w.asked = nil
	for seq := range w.held {
		commands = append(commands, Command{Kind: Return, Seq: seq})
		delete(w.held, seq)
		w.add(seq)
	}
	w.apply(commands)
	getter := w.consumers[4]
	getter.NoAck = true
	for len(w.ready) > 0 || len(w.loads) > 0 || w.spill != nil || w.lies {
		commands = commands[:0]
		if w.failed || w.noSpill {
			w.failed, w.noSpill = false, false
			commands = append(commands, Command{Kind: Retry})
		} else if !slices.Contains(w.asked, getter) && len(w.ready) > 0 {
			w.asked = append(w.asked, getter)
			commands = append(commands, Command{Kind: Get, Consumer: getter})
		}
		if w.lies && len(w.ready) == 0 && len(w.loads) == 0 {
			break
		}
		w.apply(w.answerSpill(w.answerLoad(commands)))
	}
	if len(w.store.live) != 0 {
		w.t.Fatalf("messages %v still live in the store", w.store.numbers())
	}
	checkBooks(w.t, &w.queue)
}
