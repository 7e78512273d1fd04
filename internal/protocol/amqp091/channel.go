package amqp091

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// Channel is one AMQP channel. Except where noted, its fields belong to the goroutine that
// reads the connection.
type Channel struct {
	id     uint16
	conn   *Connection
	serial uint64 // unique as long as the node runs
	// closing: channel.close was sent; everything but its answer is ignored.
	closing bool
	// condemned: channel.close was sent by another goroutine, and the reader has not seen it yet.
	condemned atomic.Bool

	content   content
	builder   message.Builder
	lastQueue string
	prefetch  int // of consumers to come
	did       did
	scratch   []delivery
	tx        *transaction // nil unless tx.select was said
	replier   *replier     // nil unless it consumes answers
	// replying is the message that reply has at hand: it would escape from anywhere else.
	replying message.Message

	confirms  bool
	published uint64    // confirm sequence number of the last publish
	inBatch   bool      // in Connection.confirming
	touched   bool      // in account.touched
	nacks     []uint64  // publishes that were refused and are not answered yet; under out.mu
	logged    store.LSN // position of what is to be confirmed or committed next

	// paused, limit and outstanding are read by Admit with a queue locked.
	paused      atomic.Bool
	limit       atomic.Int64 // prefetch of the whole channel, 0: none
	outstanding atomic.Int64 // deliveries to consumers not yet acknowledged
	refusals    atomic.Uint64

	// What follows is guarded by conn.out.mu.

	tag       uint64 // of the last delivery
	unacked   unacked
	counting  counting
	consumers map[string]*consumer
	confirmed uint64         // all up to here have been confirmed
	waiting   []confirmation // for the log
	gone      bool
	mode      mode
	stats     broker.MessageStats
	details   *details // nil: not wanted
}

// openChannel answers channel.open.
func (c *Connection) openChannel(id uint16) error {
	if err := c.access.OpenChannel(); err != nil {
		return c.hardOn(err, id)
	}
	ch := &Channel{id: id, conn: c, serial: c.options.Broker.NewID()}
	ch.details = c.options.newDetails()
	c.out.mu.Lock()
	if c.channels == nil {
		c.channels = make(map[uint16]*Channel)
	}
	c.channels[id] = ch
	c.channelsOpened++
	c.out.mu.Unlock()
	c.send(id, &amqp.ChannelOpenOk{})
	return nil
}

// fail answers a soft error: the channel is closed, the connection goes on.
func (ch *Channel) fail(e *amqp.Error) {
	ch.conn.finishBatch()
	ch.close()
	ch.conn.say(slog.LevelWarn, "channel error", "channel", ch.id, "error", e)
	ch.closing = true
	ch.conn.send(ch.id, &amqp.ChannelClose{
		ReplyCode: e.Code, ReplyText: e.Text,
		ClassID: e.Method.Class(), MethodID: e.Method.Method(),
	})
}

// close ends what the channel has going: its consumers first, so that nothing more is
// delivered, then what it holds unacknowledged returns to the queues.
func (ch *Channel) close() {
	c := ch.conn
	c.out.mu.Lock()
	ch.gone = true
	if ch.mode.publisher {
		ch.mode.publisher = false
		c.account.totals.Publishers--
	}
	var consumers []*consumer
	for _, k := range ch.consumers {
		consumers = append(consumers, k)
		delete(c.consumers, k)
	}
	ch.consumers = nil
	if ch.tx != nil { // all that it held goes back in the order in which it came
		ch.unacked.restore(ch.tx.settled())
		ch.tx = nil
	}
	c.out.mu.Unlock()
	ch.endReplies()
	for _, k := range consumers {
		c.batch.Add(k.queue, queue.Command{Kind: queue.Cancel, Consumer: &k.Consumer})
	}
	c.batch.Run()
	for more := true; more; {
		c.out.mu.Lock()
		ch.scratch, more, _ = ch.unacked.takeUpTo(0, settleMax, ch.scratch[:0])
		c.out.mu.Unlock()
		ch.returnAll(ch.scratch)
	}
}

// returnAll puts messages back into their queues.
func (ch *Channel) returnAll(held []delivery) {
	for _, d := range held {
		ch.conn.batch.Add(d.consumer.queue,
			queue.Command{Kind: queue.Return, Seq: d.seq, Consumer: &d.consumer.Consumer})
		if ch.conn.batch.Full() { // what a transaction has settled is not counted
			ch.conn.batch.Run()
		}
	}
	ch.conn.batch.Run()
}

// frame takes one frame of the channel. An *amqp.Error it returns closes the channel or the
// connection, as its code says.
func (ch *Channel) frame(f *amqp.Frame) error {
	if ch.condemned.Load() {
		ch.bury()
	}
	if ch.closing {
		if err := ch.content.ignore(f); err != nil || f.Type != amqp.FrameMethod {
			return err
		}
	} else if f.Type != amqp.FrameMethod {
		return ch.contentFrame(f)
	}
	id, err := amqp.ParseMethodID(f.Payload)
	if err != nil {
		return err
	}
	if ch.closing {
		return ch.closingMethod(id)
	}
	if ch.content.expected != nothing {
		return ch.content.unexpected()
	}
	args := f.Payload[amqp.MethodIDSize:]
	switch id {
	case amqp.MethodBasicPublish:
		return on(id, ch.basicPublish(args))
	case amqp.MethodBasicAck:
		return on(id, ch.basicAck(args))
	}
	return ch.method(id, f.Payload)
}

// on names the method that failed in an error that does not yet.
func on(id amqp.MethodID, err error) error {
	if e, ok := err.(*amqp.Error); ok && e != nil && e.Method == 0 {
		named := *e
		named.Method = id
		return &named
	}
	return err
}

// closingMethod waits for the answer to channel.close.
func (ch *Channel) closingMethod(id amqp.MethodID) error {
	switch id {
	case amqp.MethodChannelClose:
		ch.conn.send(ch.id, &amqp.ChannelCloseOk{})
	case amqp.MethodChannelCloseOk:
		ch.conn.forget(ch)
	case amqp.MethodChannelOpen:
		return on(id, amqp.NewError(amqp.ChannelError, "second 'channel.open' seen"))
	case amqp.MethodBasicPublish:
		ch.content.expected = header
	}
	return nil
}

// forget frees the channel's number.
func (c *Connection) forget(ch *Channel) {
	c.out.mu.Lock()
	delete(c.channels, ch.id)
	c.out.mu.Unlock()
	if c.last == ch {
		c.last = nil
	}
	c.access.CloseChannel()
}

// method takes any method but the frequent ones. What was collected before it happens first,
// so that the method sees it.
func (ch *Channel) method(id amqp.MethodID, payload []byte) error {
	m, err := amqp.ParseMethod(payload)
	if err != nil {
		return err
	}
	ch.conn.finishBatch()
	ch.conn.awaitReader() // a few bytes may ask for a lot: one answer at a time, if it is not read
	return on(id, ch.handle(m))
}

// handle is the table of methods of a channel.
func (ch *Channel) handle(m amqp.Method) error {
	switch m := m.(type) {
	case *amqp.ChannelOpen:
		return amqp.NewError(amqp.ChannelError, "second 'channel.open' seen")
	case *amqp.ChannelFlow:
		return ch.channelFlow(m)
	case *amqp.ChannelClose:
		return ch.channelClose()
	case *amqp.AccessRequest:
		ch.conn.send(ch.id, &amqp.AccessRequestOk{Ticket: 1})
		return nil
	case *amqp.ExchangeDeclare:
		return asError(ch.exchangeDeclare(m))
	case *amqp.ExchangeDelete:
		return asError(ch.exchangeDelete(m))
	case *amqp.ExchangeBind:
		return asError(ch.exchangeBind(m))
	case *amqp.ExchangeUnbind:
		return asError(ch.exchangeUnbind(m))
	case *amqp.QueueDeclare:
		return asError(ch.queueDeclare(m))
	case *amqp.QueueBind:
		return asError(ch.queueBind(m))
	case *amqp.QueueUnbind:
		return asError(ch.queueUnbind(m))
	case *amqp.QueuePurge:
		return asError(ch.queuePurge(m))
	case *amqp.QueueDelete:
		return asError(ch.queueDelete(m))
	case *amqp.BasicQos:
		return asError(ch.basicQos(m))
	case *amqp.BasicConsume:
		return asError(ch.basicConsume(m))
	case *amqp.BasicCancel:
		return asError(ch.basicCancel(m))
	case *amqp.BasicGet:
		return asError(ch.basicGet(m))
	case *amqp.BasicReject:
		return asError(ch.settle(m.DeliveryTag, false, rejection(m.Requeue)))
	case *amqp.BasicNack:
		return asError(ch.settle(m.DeliveryTag, m.Multiple, rejection(m.Requeue)))
	case *amqp.BasicRecover:
		return asError(ch.basicRecover(m.Requeue, true))
	case *amqp.BasicRecoverAsync:
		return asError(ch.basicRecover(m.Requeue, false))
	case *amqp.ConfirmSelect:
		return asError(ch.confirmSelect(m))
	case *amqp.TxSelect:
		return asError(ch.txSelect())
	case *amqp.TxCommit:
		return asError(ch.txCommit())
	case *amqp.TxRollback:
		return asError(ch.txRollback())
	}
	return amqp.NewError(amqp.CommandInvalid, "unimplemented method")
}

// asError keeps a nil *amqp.Error from becoming a non-nil error.
func asError(e *amqp.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// answer sends a method on the channel, unless the client said it does not want to know.
func (ch *Channel) answer(noWait bool, m amqp.Method) {
	if !noWait {
		ch.conn.send(ch.id, m)
	}
}

func (ch *Channel) channelClose() error {
	ch.close()
	ch.conn.send(ch.id, &amqp.ChannelCloseOk{})
	ch.conn.forget(ch)
	return nil
}

// channelFlow lets deliveries go on, which nothing stops: as with RabbitMQ a client cannot, and
// there are clients that rely on the refusal.
func (ch *Channel) channelFlow(m *amqp.ChannelFlow) error {
	if !m.Active {
		return amqp.NewError(amqp.NotImplemented, "active=false")
	}
	ch.conn.send(ch.id, &amqp.ChannelFlowOk{Active: true})
	return nil
}

// resume offers messages again to consumers that Admit held back, in the order in which it did.
func (ch *Channel) resume() {
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	held := slices.SortedFunc(maps.Values(ch.consumers), func(a, b *consumer) int {
		return cmp.Compare(a.refusal.Load(), b.refusal.Load())
	})
	for _, k := range held {
		c.batch.Add(k.queue, queue.Command{Kind: queue.Resume, Consumer: &k.Consumer})
	}
}
