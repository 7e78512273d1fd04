package amqp091

import (
	"sync/atomic"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/queue"
)

// consumer is a subscription of a channel, or a single basic.get. It is the broker's Receiver
// and the queue's Gate.
type consumer struct {
	queue.Consumer
	channel *Channel
	queue   *broker.Queue
	get     bool // not a subscription: one basic.get
	noWait  bool // of basic.consume
	kind    broker.QueueType
	counts  bool // deliveries say how often the message came back
	refused bool
	// arguments are those of basic.consume, for who looks.
	arguments amqp.Table
	// Of a get, under out.mu: whether it was answered, and who waits for that.
	answered bool
	answer   chan struct{}
	refusal  atomic.Uint64 // number of its last refusal by Admit, of those on the channel
}

// Admit implements queue.Gate: nothing is delivered while the client has stopped the flow,
// while too much waits to be written to it, or beyond the prefetch of its channel.
func (k *consumer) Admit(int) bool {
	ch := k.channel
	if k.admit(ch) {
		return true
	}
	k.refusal.Store(ch.refusals.Add(1))
	return false
}

func (k *consumer) admit(ch *Channel) bool {
	if ch.paused.Load() || !ch.conn.out.admits() {
		return false
	}
	if k.counts { // RabbitMQ's quorum queues know no prefetch of channels
		return true
	}
	limit := ch.limit.Load()
	if k.NoAck { // it takes nothing of the limit, and waits for it like the others
		return limit == 0 || ch.outstanding.Load() < limit
	}
	if limit > 0 {
		for n := ch.outstanding.Load(); ; n = ch.outstanding.Load() {
			if n >= limit {
				return false
			}
			if ch.outstanding.CompareAndSwap(n, n+1) {
				return true
			}
		}
	}
	ch.outstanding.Add(1)
	return true
}

// Receive implements broker.Receiver.
func (k *consumer) Receive(q *broker.Queue, effects []queue.Effect) (flush bool) {
	c := k.channel.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	b := c.out.begin()
	before := k.channel.tag
	for i := range effects {
		b = k.append(c.out.roll(b), q, &effects[i])
	}
	if n := k.channel.tag - before; n > 0 {
		k.countDelivered(n)
	}
	flush = c.out.end(b)
	return q.Tracing() && k.traceDeliveries(q, effects) || flush
}

// Flush implements broker.Receiver.
func (k *consumer) Flush() {
	c := k.channel.conn
	if t := c.tracing.Load(); t != nil && t.waits.Load() {
		c.sendTraces(t)
	}
	c.out.flush()
}

// append turns an effect into frames; out.mu is held.
func (k *consumer) append(b []byte, q *broker.Queue, e *queue.Effect) []byte {
	ch := k.channel
	switch e.Kind {
	case queue.Deliver:
		k.got()
		return k.deliver(b, e)
	case queue.Empty, queue.Unavailable:
		k.got()
		k.countEmpty()
		return amqp.AppendMethodFrame(b, ch.id, &amqp.BasicGetEmpty{})
	case queue.Subscribed:
		if !k.noWait {
			b = amqp.AppendMethodFrame(b, ch.id, &amqp.BasicConsumeOk{ConsumerTag: k.Tag})
		}
	case queue.Refused:
		k.refused = true
	case queue.Cancelled:
		return k.cancelled(b)
	case queue.TimedOut:
		timeout := k.Timeout
		if timeout == 0 {
			timeout = q.ConsumerTimeout()
		}
		return k.timedOut(b, timeout)
	}
	return b
}

// cancelled tells the client that the consumer is no more; out.mu is held.
func (k *consumer) cancelled(b []byte) []byte {
	ch := k.channel
	if ch.consumers[k.Tag] == k {
		delete(ch.consumers, k.Tag)
	}
	delete(ch.conn.consumers, k)
	if ch.conn.cancelNotify && !ch.gone {
		b = amqp.AppendMethodFrame(b, ch.id, &amqp.BasicCancel{ConsumerTag: k.Tag, NoWait: true})
	}
	return b
}

func (k *consumer) deliver(b []byte, e *queue.Effect) []byte {
	ch := k.channel
	ch.tag++
	if !k.NoAck {
		counted := !k.get && !k.counts
		ch.unacked.push(delivery{tag: ch.tag, seq: e.Seq, consumer: k, counted: counted})
	}
	if e.Redelivered {
		k.countRedelivered()
	}
	if ch.condemned.Load() {
		return b
	}
	m := &e.Message
	if k.get {
		b = amqp.AppendMethodFrame(b, ch.id, &amqp.BasicGetOk{
			DeliveryTag: ch.tag, Redelivered: e.Redelivered,
			Exchange: string(m.Exchange()), RoutingKey: string(m.RoutingKey()),
			MessageCount: uint32(e.Ready),
		})
	} else {
		b = amqp.AppendBasicDeliver(b, ch.id, k.Tag, ch.tag, e.Redelivered,
			m.Exchange(), m.RoutingKey())
	}
	if k.counts && (k.get || e.DeliveryCount > 0) {
		return ch.conn.out.contentWith(b, ch.id, ch.counted(m, e.DeliveryCount), m.Body(),
			ch.conn.frameMax)
	}
	return ch.conn.out.content(b, ch.id, m, ch.conn.frameMax)
}

// basicQos sets how much may be delivered unacknowledged: to each consumer that comes, or,
// with global, on the whole channel (RabbitMQ's reading of the flag).
func (ch *Channel) basicQos(m *amqp.BasicQos) *amqp.Error {
	if m.PrefetchSize != 0 {
		return amqp.NewError(amqp.NotImplemented, "prefetch_size!=0 (%d)", m.PrefetchSize)
	}
	limit := int64(m.PrefetchCount)
	if !m.Global {
		ch.prefetch, limit = int(limit), 0 // it ends that of the channel
		ch.setMode(func(m *mode) { m.prefetch = ch.prefetch })
	}
	if ch.limit.Swap(limit) != limit {
		ch.resume()
	}
	ch.conn.send(ch.id, &amqp.BasicQosOk{})
	return nil
}

func (ch *Channel) basicConsume(m *amqp.BasicConsume) *amqp.Error {
	if m.Queue == broker.ReplyQueue || m.Queue == "" && ch.lastQueue == broker.ReplyQueue {
		return ch.consumeReplies(m)
	}
	c := ch.conn
	if err := ch.mayConsume(m.ConsumerTag); err != nil {
		return err
	}
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	q, err := c.access.ReadableQueue(name)
	if err != nil {
		return err
	}
	arguments, err := c.access.CheckConsumer(q, m.Arguments)
	if err != nil {
		return err
	}
	if ch.limit.Load() > 0 && counts(q) {
		return amqp.NewError(amqp.NotImplemented,
			"queue '%s' in vhost '%s' does not support global qos", name, c.access.VHostName())
	}
	k := &consumer{
		channel: ch, queue: q, noWait: m.NoWait, counts: counts(q), kind: q.Type(),
		arguments: m.Arguments.Clone(),
	}
	k.Consumer = queue.Consumer{
		Tag: m.ConsumerTag, Prefetch: ch.prefetch, NoAck: m.NoAck,
		Exclusive: m.Exclusive && !k.counts, // who counts does not know it
		Priority:  arguments.Priority, Timeout: arguments.Timeout, Gate: k, Owner: k,
	}
	if k.Tag == "" {
		k.Tag = broker.GeneratedName("amq.ctag-")
	}
	if !ch.enter(k) {
		return tagInUse(k.Tag)
	}
	err = c.access.Ask(c.batch, q, queue.Command{Kind: queue.Subscribe, Consumer: &k.Consumer})
	if err != nil {
		ch.leave(k)
		return err
	}
	if k.refused {
		ch.leave(k)
		return amqp.NewError(amqp.AccessRefused, "queue '%s' in vhost '%s' in exclusive use",
			name, c.access.VHostName())
	}
	return nil
}

func tagInUse(tag string) *amqp.Error {
	return amqp.NewError(amqp.NotAllowed, "attempt to reuse consumer tag '%s'", tag)
}

// mayConsume refuses a consumer whose tag is taken, or that would be one too many.
func (ch *Channel) mayConsume(tag string) *amqp.Error {
	ch.conn.out.mu.Lock()
	taken, consumers := ch.consumers[tag] != nil, len(ch.consumers)
	ch.conn.out.mu.Unlock()
	if taken {
		return tagInUse(tag)
	}
	return ch.conn.access.MayConsume(consumers)
}

// enter gives a consumer its tag on the channel, unless the tag is taken.
func (ch *Channel) enter(k *consumer) bool {
	c := ch.conn
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if ch.consumers[k.Tag] != nil {
		return false
	}
	if ch.consumers == nil {
		ch.consumers = make(map[string]*consumer)
	}
	if c.consumers == nil {
		c.consumers = make(map[*consumer]struct{})
	}
	ch.consumers[k.Tag] = k
	c.consumers[k] = struct{}{}
	return true
}

func (ch *Channel) leave(k *consumer) {
	ch.conn.out.mu.Lock()
	defer ch.conn.out.mu.Unlock()
	delete(ch.consumers, k.Tag)
	delete(ch.conn.consumers, k)
}

func (ch *Channel) basicCancel(m *amqp.BasicCancel) *amqp.Error {
	if ch.replier != nil && ch.replier.tag == m.ConsumerTag {
		ch.endReplies()
		ch.answer(m.NoWait, &amqp.BasicCancelOk{ConsumerTag: m.ConsumerTag})
		return nil
	}
	c := ch.conn
	c.out.mu.Lock()
	k := ch.consumers[m.ConsumerTag]
	c.out.mu.Unlock()
	if k != nil {
		ch.leave(k)
		c.batch.Do(k.queue, queue.Command{Kind: queue.Cancel, Consumer: &k.Consumer})
	}
	ch.answer(m.NoWait, &amqp.BasicCancelOk{ConsumerTag: m.ConsumerTag})
	return nil
}

func (ch *Channel) basicGet(m *amqp.BasicGet) *amqp.Error {
	name, err := ch.queueName(m.Queue)
	if err != nil {
		return err
	}
	q, err := ch.conn.access.ReadableQueue(name)
	if err != nil {
		return err
	}
	if singleActive(q) && counts(q) {
		return amqp.NewError(amqp.ResourceLocked, "cannot obtain access to locked queue '%s' in "+
			"vhost '%s'. basic.get operations are not supported by quorum queues with single "+
			"active consumer", name, ch.conn.access.VHostName())
	}
	k := &consumer{channel: ch, queue: q, get: true, counts: counts(q), kind: q.Type()}
	k.Consumer = queue.Consumer{NoAck: m.NoAck, Owner: k}
	c := ch.conn
	err = c.access.Ask(c.batch, q, queue.Command{Kind: queue.Get, Consumer: &k.Consumer})
	if err == nil {
		k.await()
	}
	return err
}

// got notes that a get was answered; out.mu is held.
func (k *consumer) got() {
	k.answered = true
	if k.answer != nil {
		close(k.answer)
		k.answer = nil
	}
}

// await returns when the get has been answered: what the client asks next on the channel is
// answered after it. It waits only for a message that has to be read from disk.
func (k *consumer) await() {
	out := &k.channel.conn.out
	out.mu.Lock()
	if k.answered {
		out.mu.Unlock()
		return
	}
	answer := make(chan struct{})
	k.answer = answer
	out.mu.Unlock()
	<-answer
}
