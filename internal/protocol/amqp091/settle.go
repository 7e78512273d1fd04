package amqp091

import (
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

func rejection(requeue bool) queue.Kind {
	if requeue {
		return queue.Return
	}
	return queue.Discard
}

func (ch *Channel) basicAck(args []byte) error {
	var m amqp.BasicAck
	if err := m.Decode(args); err != nil {
		return err
	}
	return asError(ch.settle(m.DeliveryTag, m.Multiple, queue.Ack))
}

// settle takes deliveries from the client's hands and tells their queues.
func (ch *Channel) settle(tag uint64, multiple bool, kind queue.Kind) *amqp.Error {
	if multiple {
		return ch.settleUpTo(tag, kind)
	}
	c := ch.conn
	c.out.mu.Lock()
	taken, found := ch.unacked.take(tag, false, ch.scratch[:0])
	c.out.mu.Unlock()
	ch.scratch = taken
	if !found {
		return unknownTag(tag)
	}
	ch.settleTaken(taken, kind)
	return nil
}

// settleUpTo settles all deliveries up to a tag (0: all), some at a time: one method must neither
// hold a queue for long nor take memory for all.
func (ch *Channel) settleUpTo(tag uint64, kind queue.Kind) *amqp.Error {
	c := ch.conn
	for more := true; more; {
		c.out.mu.Lock()
		taken, left, found := ch.unacked.takeUpTo(tag, settleMax, ch.scratch[:0])
		c.out.mu.Unlock()
		ch.scratch = taken
		if !found {
			return unknownTag(tag)
		}
		ch.settleTaken(taken, kind)
		if more = left; more {
			c.finishBatch()
		}
	}
	return nil
}

func unknownTag(tag uint64) *amqp.Error {
	return amqp.NewError(amqp.PreconditionFailed, "unknown delivery tag %d", tag)
}

func (ch *Channel) settleTaken(taken []delivery, kind queue.Kind) {
	if ch.tx != nil {
		if !ch.touched {
			ch.touch()
		}
		ch.tx.settle(taken, kind)
		return
	}
	ch.settleNow(taken, kind)
}

// settleNow collects the commands that settle deliveries.
func (ch *Channel) settleNow(taken []delivery, kind queue.Kind) {
	counted := int64(0)
	for i := range taken {
		if taken[i].counted {
			counted++
		}
	}
	if !ch.touched {
		ch.touch()
	}
	ch.outstanding.Add(-counted)
	if counted > 0 && ch.limit.Load() > 0 {
		ch.resume() // before those who settle come back into the turn
	}
	if ch.details != nil && kind == queue.Ack {
		ch.detailSettle(taken)
	}
	for i := range taken {
		k := taken[i].consumer
		if kind == queue.Ack {
			ch.did.acked[k.kind]++
		}
		ch.conn.batch.Add(k.queue,
			queue.Command{Kind: kind, Seq: taken[i].seq, Consumer: &k.Consumer})
	}
}

// basicRecover returns all that is unacknowledged to its queues.
func (ch *Channel) basicRecover(requeue, answer bool) *amqp.Error {
	if !requeue {
		return amqp.NewError(amqp.NotImplemented, "requeue=false")
	}
	c := ch.conn
	if answer {
		c.send(ch.id, &amqp.BasicRecoverOk{})
	}
	for more := true; more; {
		c.out.mu.Lock()
		ch.scratch, more, _ = ch.unacked.takeUpTo(0, settleMax, ch.scratch[:0])
		c.out.mu.Unlock()
		ch.settleNow(ch.scratch, queue.Return)
		c.finishBatch()
	}
	return nil
}

// confirmation is a run of publishes that is confirmed when the log is stable up to logged.
type confirmation struct {
	upTo   uint64 // confirm sequence number of the last publish
	logged store.LSN
}

func (ch *Channel) confirmSelect(m *amqp.ConfirmSelect) *amqp.Error {
	if ch.tx != nil {
		return amqp.NewError(amqp.PreconditionFailed, "cannot switch from tx to confirm mode")
	}
	ch.confirms = true
	ch.setMode(func(m *mode) { m.confirm = true })
	ch.answer(m.NoWait, &amqp.ConfirmSelectOk{})
	return nil
}

// confirm gives or schedules the confirms of the batch that has just run.
func (c *Connection) confirm() {
	last := store.LSN(0)
	c.out.mu.Lock()
	for _, ch := range c.confirming {
		ch.inBatch = false
		if ch.gone {
			continue
		}
		if ch.logged == 0 && len(ch.waiting) == 0 {
			ch.confirmUpTo(ch.published)
			continue
		}
		last = max(last, ch.logged)
		ch.awaitLog()
	}
	c.out.mu.Unlock()
	clear(c.confirming)
	c.confirming = c.confirming[:0]
	if last != 0 {
		c.options.Broker.Notify(c, last)
		if c.options.Broker.Alarms()&broker.StoreAlarm != 0 {
			c.blockHeld()
		}
	}
}

// awaitLog schedules the confirms of the batch for when the log is stable up to ch.logged. What
// needs no log waits with what was published before it. out.mu is held.
func (ch *Channel) awaitLog() {
	n := len(ch.waiting)
	if ch.logged == 0 {
		ch.waiting[n-1].upTo = ch.published
		return
	}
	if n == 0 {
		ch.conn.unconfirmed = append(ch.conn.unconfirmed, ch)
	}
	ch.waiting = append(ch.waiting, confirmation{upTo: ch.published, logged: ch.logged})
	ch.logged = 0
}

// ticket is a publish that queues may refuse one by one.
type ticket struct {
	channel *Channel
	seq     uint64 // its confirm sequence number
}

// ticket names the channel's next publish to the broker. It is good until the batch has run.
func (c *Connection) ticket(ch *Channel) uint32 {
	c.tickets = append(c.tickets, ticket{ch, ch.published + 1})
	return uint32(len(c.tickets))
}

// takeRejected notes which publishes of the batch that has run were refused.
func (c *Connection) takeRejected() {
	for _, n := range c.batch.TakeRejected() {
		t := &c.tickets[n-1]
		if t.channel.tx != nil {
			t.channel.tx.rejected = true
			continue
		}
		t.channel.refuse(t.seq)
	}
}

// refuse has a publish answered with basic.nack when its turn comes.
func (ch *Channel) refuse(seq uint64) {
	out := &ch.conn.out
	out.mu.Lock()
	defer out.mu.Unlock()
	if n := len(ch.nacks); n == 0 || ch.nacks[n-1] < seq {
		ch.nacks = append(ch.nacks, seq)
	} else if i, twice := slices.BinarySearch(ch.nacks, seq); !twice {
		ch.nacks = slices.Insert(ch.nacks, i, seq)
	}
}

// confirmUpTo appends the basic.ack for all publishes up to seq, and basic.nack for those that
// were refused; out.mu is held.
func (ch *Channel) confirmUpTo(seq uint64) {
	for len(ch.nacks) > 0 && ch.nacks[0] <= seq {
		ch.ackUpTo(ch.nacks[0] - 1)
		refused := 0 // those that follow each other are told at once
		for ; refused < len(ch.nacks) && ch.nacks[refused] == ch.confirmed+1; refused++ {
			ch.confirmed++
		}
		ch.nacks = ch.nacks[refused:]
		out := &ch.conn.out
		out.end(amqp.AppendMethodFrame(out.begin(), ch.id,
			&amqp.BasicNack{DeliveryTag: ch.confirmed, Multiple: true, Requeue: true}))
	}
	ch.ackUpTo(seq)
}

func (ch *Channel) ackUpTo(seq uint64) {
	if seq <= ch.confirmed {
		return
	}
	ch.countConfirm(seq - ch.confirmed)
	out := &ch.conn.out
	out.end(amqp.AppendBasicAck(out.begin(), ch.id, seq, seq > ch.confirmed+1))
	ch.confirmed = seq
}

// Synced implements store.Waiter: it confirms what the log has made stable, in one basic.ack
// for each channel. When the log has failed, it refuses instead.
func (c *Connection) Synced(upTo store.LSN, err error) {
	c.out.mu.Lock()
	still := c.unconfirmed[:0]
	for _, ch := range c.unconfirmed {
		done := 0
		for done < len(ch.waiting) && (err != nil || ch.waiting[done].logged <= upTo) {
			done++
		}
		if done > 0 && !ch.gone {
			ch.confirmed = ch.answerPublishes(ch.waiting[done-1].upTo, err)
		}
		ch.waiting = append(ch.waiting[:0], ch.waiting[done:]...)
		if len(ch.waiting) > 0 {
			still = append(still, ch)
		}
	}
	clear(c.unconfirmed[len(still):])
	c.unconfirmed = still
	c.out.mu.Unlock()
	c.out.flush()
}

// answerPublishes confirms all publishes up to seq, or with an error refuses them; out.mu is
// held.
func (ch *Channel) answerPublishes(seq uint64, err error) uint64 {
	if err == nil {
		ch.confirmUpTo(seq)
		return seq
	}
	out := &ch.conn.out
	out.end(amqp.AppendMethodFrame(out.begin(), ch.id,
		&amqp.BasicNack{DeliveryTag: seq, Multiple: seq > ch.confirmed+1}))
	return seq
}
