package queue

import (
	"cmp"
	"fmt"
	"slices"
)

// compare: deliveries come in the same order; where other effects stand is the queue's business.
func (w *rulesWorld) compare() {
	for _, deliveries := range []bool{true, false} {
		pick := func(all []ruling) (some []ruling) {
			for _, e := range all {
				if (e.Kind == Deliver) == deliveries {
					some = append(some, e)
				}
			}
			if !deliveries {
				slices.SortStableFunc(some, func(a, b ruling) int {
					return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Seq, b.Seq),
						cmp.Compare(a.Consumer, b.Consumer))
				})
			}
			return some
		}
		if got, want := pick(w.told), pick(w.ruler.effects); !slices.Equal(got, want) {
			w.t.Fatalf("%s\n got %+v\nwant %+v", w.describe(), got, want)
		}
	}
}

func (w *rulesWorld) checkTotals() {
	q, r := &w.queue, &w.ruler
	bytes := 0
	for _, m := range r.messages {
		bytes += m.size
	}
	ready, unacked := len(r.in(slotReady)), len(r.in(slotUnacked))
	if q.Ready() != ready || q.UnackedCount() != unacked || q.Bytes() != bytes ||
		q.ConsumerCount() != len(r.consumers) {
		w.t.Fatalf("%s\ngot %d ready, %d unacked, %d bytes, %d consumers; want %d, %d, %d, %d",
			w.describe(),
			q.Ready(), q.UnackedCount(), q.Bytes(), q.ConsumerCount(), ready, unacked, bytes,
			len(r.consumers))
	}
}

// describe says what there is, for a failure.
func (w *rulesWorld) describe() string {
	text := fmt.Sprintf("%+v at %d, out %+v, cursor %d, loading %v, resident max %d\nqueue:",
		w.ruler.settings, w.ruler.now, w.queue.out, w.queue.cursor, w.queue.paging.loading,
		w.queue.paging.residentMax)
	w.queue.slots.each(func(seq uint64, s *slot) {
		text += fmt.Sprintf(" %d:%d,%d", seq, s.state, w.queue.slots.deadline(seq))
	})
	text += "\nruler:"
	for _, m := range w.ruler.messages {
		text += fmt.Sprintf(" %d:%d,%d,%d,%d", m.seq, m.state, m.deadline, m.body, m.priority)
	}
	return text
}

// drain takes out what is left, and then the store is empty.
func (w *rulesWorld) drain() {
	r := &w.ruler
	for _, m := range r.in(slotUnacked) {
		r.release(m)
		r.gone(m)
		w.apply([]Command{{Kind: Ack, Seq: m.seq}})
	}
	for i := range 4 {
		if w.rulers[i].subscribed {
			w.subscription(i)
		}
	}
	for _, m := range r.in(slotUnacked) {
		r.release(m)
		r.gone(m)
		w.apply([]Command{{Kind: Ack, Seq: m.seq}})
	}
	for _, m := range r.in(slotDead) {
		r.gone(m)
		w.apply([]Command{{Kind: DeadDone, Seq: m.seq}})
	}
	ready := r.in(slotReady)
	for _, m := range ready {
		r.gone(m)
	}
	r.tell(ruling{Kind: Purged, Consumer: -1, Count: len(ready)})
	w.apply([]Command{{Kind: Purge}})
	if len(w.store.live) != 0 {
		w.t.Fatalf("messages %v still live in the store", w.store.numbers())
	}
	w.checkHolds()
}
