package management

import (
	"context"
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// desk publishes and gets messages for one request, and waits for the answers. It belongs to one
// goroutine. Close it: what it got and did not settle goes back to its queue.
type desk struct {
	m       *broker.Manager
	access  *broker.Access
	batch   *broker.Batch
	routes  broker.RouteCache
	copies  broker.Copies
	builder message.Builder
	arena   message.Arena
	got     []*taken // not settled yet
}

func (h *Handler) newDesk(a *broker.Access) *desk {
	return &desk{m: h.o.Broker, access: a, batch: h.o.Broker.NewBatch()}
}

// close gives back what was not settled.
func (d *desk) close() {
	d.settle(queue.Return, d.got...)
	d.batch.Release()
}

// letter is a message on its way through a request. Nobody writes to its bytes.
type letter struct {
	exchange, key string
	properties    amqp.RawProperties
	body          []byte
}

// sent is what became of a letter that was published.
type sent struct {
	routed bool
	stable store.LSN // where the log must be stable before it counts as stored
}

// publish sends a letter on its way, and takes nothing of its memory. It is stored when await has
// returned.
func (d *desk) publish(l *letter, ticket uint32) (sent, *amqp.Error) {
	d.copies.Reset()
	properties, _ := d.copies.Read([]byte(l.key), l.properties)
	if d.copies.Wrong != nil {
		return sent{}, d.copies.Wrong
	}
	err := d.builder.Begin(&d.arena, []byte(l.exchange), []byte(l.key), properties,
		uint64(len(l.body)))
	if err != nil {
		return sent{}, amqp.NewError(amqp.PreconditionFailed, "%v", err)
	}
	d.builder.Append(l.body)
	m := d.builder.Done()
	traced := d.batch.Received(&m)
	var route *broker.Route
	if len(d.copies.Keys) > 0 {
		route = d.routes.RouteAll(d.access, []byte(l.exchange), properties, d.copies.Keys...)
	} else {
		route = d.routes.Route(d.access, []byte(l.exchange), []byte(l.key), properties)
	}
	if traced {
		d.batch.Routed(&m, []byte(l.exchange), route, d.access.VHostName())
	}
	switch {
	case route.Err != nil:
		m.Release()
		return sent{}, route.Err
	case !route.Takes():
		m.Release()
		return sent{}, nil
	}
	result := sent{routed: !route.Refuses()}
	if !route.Rejects() {
		ticket = 0
	}
	result.stable = d.batch.PublishFor(route, &m, ticket)
	return result, nil
}

// await returns when what was published up to stable is stored, with the tickets of letters that a
// queue refused.
func (d *desk) await(stable store.LSN) (rejected []uint32, err error) {
	d.batch.Run()
	rejected = slices.Clone(d.batch.TakeRejected())
	if stable == 0 {
		return rejected, nil
	}
	return rejected, d.m.Wait(stable)
}

// taken is a message that a desk got from a queue.
type taken struct {
	letter
	queue       *broker.Queue
	consumer    queue.Consumer
	seq         uint64
	redelivered bool
	ready       int // messages left in the queue
	deliveries  int // how often it came back
	answered    chan queue.EffectKind
	settled     bool
}

// Receive implements broker.Receiver: it copies what the queue may let go of.
func (t *taken) Receive(_ *broker.Queue, effects []queue.Effect) (flush bool) {
	for i := range effects {
		e := &effects[i]
		if e.Kind == queue.Deliver {
			m := &e.Message
			t.letter = letter{
				exchange: string(m.Exchange()), key: string(m.RoutingKey()),
				properties: slices.Clone(m.Properties()), body: slices.Clone(m.Body()),
			}
			t.seq, t.ready = e.Seq, e.Ready
			t.redelivered, t.deliveries = e.Redelivered, int(e.DeliveryCount)
		}
		select {
		case t.answered <- e.Kind:
		default: // it was answered before
		}
	}
	return false
}

// Flush implements broker.Receiver: nothing goes out.
func (t *taken) Flush() {}

// get takes the next message of a queue; nil: there is none. It waits for a message that is on
// disk, until ctx is done.
func (d *desk) get(ctx context.Context, q *broker.Queue) (*taken, error) {
	t := &taken{queue: q, answered: make(chan queue.EffectKind, 1)}
	t.consumer.Owner = t
	err := d.access.Ask(d.batch, q, queue.Command{Kind: queue.Get, Consumer: &t.consumer})
	if err != nil {
		return nil, onChannel(err)
	}
	select {
	case kind := <-t.answered:
		return d.took(t, kind)
	case <-ctx.Done():
	}
	// Either the queue takes the question back, or it has answered it.
	d.batch.Do(q, queue.Command{Kind: queue.Cancel, Consumer: &t.consumer})
	select {
	case kind := <-t.answered:
		return d.took(t, kind)
	default:
		return nil, ctx.Err()
	}
}

func (d *desk) took(t *taken, kind queue.EffectKind) (*taken, error) {
	switch kind {
	case queue.Deliver:
		d.got = append(d.got, t)
		return t, nil
	case queue.Unavailable:
		return nil, badRequest("a message of queue '%s' could not be read", t.queue.Name())
	}
	return nil, nil
}

// settle does with messages what kind says: queue.Ack, Return or Discard.
func (d *desk) settle(kind queue.Kind, messages ...*taken) {
	for _, t := range messages {
		t.settled = true
		d.batch.Add(t.queue, queue.Command{Kind: kind, Seq: t.seq, Consumer: &t.consumer})
		if d.batch.Full() {
			d.batch.Run()
		}
	}
	d.batch.Run()
	d.got = slices.DeleteFunc(slices.Clone(d.got), func(t *taken) bool { return t.settled })
}
