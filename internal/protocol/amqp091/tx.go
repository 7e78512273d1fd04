package amqp091

import (
	"bytes"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// transactionMax bounds what a transaction may hold back, in bytes of messages and in entries.
const (
	transactionBytesMax   = 128 << 20
	transactionEntriesMax = 1 << 20
	// heldKeyBytes is what a further routing key takes beside its text.
	heldKeyBytes = 40
	// heldSettleBytes is the most that an acknowledgement takes in the log.
	heldSettleBytes = 64
)

// transaction is what a channel in tx mode has published and settled since its last commit or
// rollback. Nobody else has seen any of it.
type transaction struct {
	publishes []heldPublish
	settles   []heldSettle
	bytes     int
	rejected  bool // by a queue, while it was committed
}

type heldPublish struct {
	message   message.Message
	route     *broker.Route // that it had when it was published, shared with those before
	mandatory bool
	keys      [][]byte // its own and those of CC and BCC, if it has these
}

type heldSettle struct {
	delivery
	kind queue.Kind
}

// heldRouteBytes is what a route takes for each of its queues.
const heldRouteBytes = 16

// publish holds a message back that is to go to where it would go now.
func (t *transaction) publish(
	routes *broker.RouteCache, route *broker.Route, m message.Message, mandatory bool,
	keys [][]byte,
) *amqp.Error {
	var last *broker.Route
	if n := len(t.publishes); n > 0 {
		last = t.publishes[n-1].route
	}
	kept := routes.Hold(route, last)
	if t.bytes += m.Size(); kept != last {
		t.bytes += heldRouteBytes * route.Queues()
	}
	if len(keys) > 0 {
		copies := make([][]byte, len(keys))
		for i, key := range keys {
			copies[i] = bytes.Clone(key)
			t.bytes += len(key) + heldKeyBytes
		}
		keys = copies
	}
	if t.bytes > transactionBytesMax ||
		len(t.publishes) == transactionEntriesMax {
		return amqp.NewError(amqp.ResourceError, "transaction too large")
	}
	t.publishes = append(t.publishes, heldPublish{m, kept, mandatory, keys})
	return nil
}

func (t *transaction) settle(taken []delivery, kind queue.Kind) {
	for _, d := range taken {
		t.settles = append(t.settles, heldSettle{d, kind})
	}
}

// settled returns the deliveries whose settling has not been committed.
func (t *transaction) settled() []delivery {
	list := make([]delivery, len(t.settles))
	for i := range t.settles {
		list[i] = t.settles[i].delivery
	}
	return list
}

func (ch *Channel) txSelect() *amqp.Error {
	if ch.confirms {
		return amqp.NewError(amqp.PreconditionFailed, "cannot switch from confirm to tx mode")
	}
	if ch.tx == nil {
		ch.tx = &transaction{}
		ch.setMode(func(m *mode) { m.transactional = true })
	}
	ch.conn.send(ch.id, &amqp.TxSelectOk{})
	return nil
}

// txCommit carries out what was held back, as the broker's transaction: messages that have to
// survive and acknowledgements together.
func (ch *Channel) txCommit() *amqp.Error {
	if ch.tx == nil {
		return amqp.NewError(amqp.PreconditionFailed, "channel is not transactional")
	}
	c := ch.conn
	t := c.batch.Begin()
	var route *broker.Route
	for i := range ch.tx.publishes {
		p := &ch.tx.publishes[i]
		ch.lookAgain(p, route)
		if p.route != route {
			route = p.route
			route.Renew()
		}
		ch.commitPublish(t, p)
	}
	if t.Bytes()+heldSettleBytes*len(ch.tx.settles) > store.CommitBytesMax {
		t.Forget()
		return amqp.NewError(amqp.ResourceError, "transaction too large")
	}
	held := *ch.tx
	*ch.tx = transaction{}
	ch.settleRuns(t, held.settles)
	logged := t.Commit()
	c.finishBatch()
	if ch.tx.rejected {
		ch.tx.rejected = false
		return amqp.NewError(amqp.PreconditionFailed, "partial tx completion")
	}
	if logged != 0 {
		c.waitsForLog(true)
		err := c.options.Broker.Wait(store.LSN(logged))
		c.waitsForLog(false)
		if err != nil {
			return amqp.NewError(amqp.InternalError, "the transaction could not be stored")
		}
	}
	c.send(ch.id, &amqp.TxCommitOk{})
	return nil
}

// lookAgain finds the queues of a message that names them, by the default exchange: they may have
// been declared since it was published. All others go where bindings led then. The result may be
// last, the route of the message before it.
func (ch *Channel) lookAgain(p *heldPublish, last *broker.Route) {
	if len(p.message.Exchange()) > 0 {
		return
	}
	c, m := ch.conn, &p.message
	var route *broker.Route
	if len(p.keys) > 0 {
		route = c.routes.RouteAll(c.access, m.Exchange(), m.Properties(), p.keys...)
	} else {
		route = c.routes.Route(c.access, m.Exchange(), m.RoutingKey(), m.Properties())
	}
	if route.Err == nil { // it was allowed when it was published
		p.route = c.routes.Hold(route, last)
	}
}

// commitPublish holds a message that was held back for the commit. Answers and messages that come
// back are not part of that.
func (ch *Channel) commitPublish(t *broker.Transaction, p *heldPublish) {
	c, route := ch.conn, p.route
	ch.countCommit()
	c.routes.CountHeld(route)
	if ch.details != nil {
		ch.detailPublish(p.message.Exchange())
	}
	if c.batch.Received(&p.message) {
		c.batch.Routed(&p.message, p.message.Exchange(), route, c.vhost)
	}
	ch.tell(route, &p.message, p.mandatory, p.keys)
	if !route.Takes() {
		p.message.Release()
		ch.countDropped(p.mandatory)
		return
	}
	number := uint32(0)
	if route.Rejects() {
		number = c.ticket(ch)
	}
	t.Publish(route, p.message, number)
}

// settleRuns settles in order, what is next to each other and alike at once: every time held
// consumers may be resumed.
func (ch *Channel) settleRuns(t *broker.Transaction, settles []heldSettle) {
	for len(settles) > 0 {
		kind, run := settles[0].kind, ch.scratch[:0]
		for len(settles) > 0 && settles[0].kind == kind && len(run) < settleMax {
			run = append(run, settles[0].delivery)
			settles = settles[1:]
		}
		ch.scratch = run
		ch.settleNow(run, kind)
		if ch.conn.batch.Full() {
			t.Apply()
		}
	}
}

// txRollback forgets what was published; what was settled is unacknowledged again.
func (ch *Channel) txRollback() *amqp.Error {
	if ch.tx == nil {
		return amqp.NewError(amqp.PreconditionFailed, "channel is not transactional")
	}
	c := ch.conn
	c.out.mu.Lock()
	ch.unacked.restore(ch.tx.settled())
	c.out.mu.Unlock()
	*ch.tx = transaction{}
	c.send(ch.id, &amqp.TxRollbackOk{})
	return nil
}
