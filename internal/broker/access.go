package broker

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// Access is a logged-in user's view of one vhost, through one connection: everything a door
// may ask of the queue manager on its behalf, with permissions checked here. Its methods may
// be called by one goroutine at a time.
type Access struct {
	m     *Manager
	vhost *VHost
	user  string
	id    uint64
	// operator: it may do everything; see ActAsOperator.
	operator bool

	// What follows is guarded by the registry's lock.

	forced Forced // nil: not attached
	reason string // of the end that was decided; "": none was
	// channels counts those that are open, usage all of the user; nil: it counts for nobody.
	channels int
	usage    *usage
}

// ID returns the number that is unique to this access as long as the node runs; exclusive
// queues belong to it.
func (a *Access) ID() uint64 { return a.id }

// VHostName returns the name of the vhost.
func (a *Access) VHostName() string { return a.vhost.name }

// User returns the name of the user.
func (a *Access) User() string { return a.user }

// Close ends the access: its exclusive queues are deleted.
func (a *Access) Close(b *Batch) {
	a.vhost.closeOwner(b, a.id)
	a.m.registry.leave(a)
}

// allowed checks one permission on one resource.
func (a *Access) allowed(p auth.Permission, kind, name string) *amqp.Error {
	if a.operator || a.m.backEnds.Allowed(a.user, a.vhost.name, p, name) {
		return nil
	}
	return amqp.NewError(amqp.AccessRefused,
		"access to %s '%s' in vhost '%s' refused for user '%s'", kind, name, a.vhost.name, a.user)
}

// exchangeName is how RabbitMQ's permissions call an exchange: the default one has a name.
func exchangeName(name string) string {
	if name == "" {
		return "amq.default"
	}
	return name
}

func (a *Access) mayWrite(exchange string) *amqp.Error {
	return a.allowed(auth.Write, "exchange", exchangeName(exchange))
}

// mayKnow checks that the user has some permission on a resource, whichever it is: those who
// have none do not learn whether it exists.
func (a *Access) mayKnow(kind, name string) *amqp.Error {
	for _, p := range []auth.Permission{auth.Configure, auth.Write} {
		if a.allowed(p, kind, name) == nil {
			return nil
		}
	}
	return a.allowed(auth.Read, kind, name)
}

// CheckExchange answers a passive declare.
func (a *Access) CheckExchange(name string) *amqp.Error {
	if err := a.mayKnow("exchange", exchangeName(name)); err != nil {
		return err
	}
	a.vhost.mu.RLock()
	defer a.vhost.mu.RUnlock()
	_, err := a.vhost.definitions.CheckExchange(name)
	return err
}

// DeclareExchange declares an exchange. A durable one is on stable storage on return.
func (a *Access) DeclareExchange(e definition.Exchange) *amqp.Error {
	if err := a.allowed(auth.Configure, "exchange", exchangeName(e.Name)); err != nil {
		return err
	}
	if alternate, ok := e.Arguments.Lookup("alternate-exchange"); ok {
		if err := a.mayUseAlternate(e.Name, alternate); err != nil {
			return err
		}
	}
	v := a.vhost
	if v.definitions.Delays(e.Type) {
		e.ID = v.m.nextQueueID()
	}
	c := definition.Command{Kind: definition.DeclareExchangeKind, VHost: v.name, Exchange: e}
	done, err := v.existing(c, func() (bool, *amqp.Error) {
		if _, ok := v.definitions.Exchange(e.Name); !ok {
			return false, nil
		}
		_, err := v.definitions.DeclareExchange(e)
		return true, err
	})
	if done {
		return err
	}
	return v.change(func(log *journal) *amqp.Error {
		if err := v.m.roomForExchange(v, e.Name); err != nil {
			return err
		}
		created, err := v.definitions.DeclareExchange(e)
		switch {
		case err != nil:
		case !created:
			log.await(v, c)
		default:
			v.m.exchanges.Add(1)
			v.keeperOf(e.Name)
			v.generations.exchangeChanged(e.Name)
			if e.Durable {
				log.add(c)
			}
		}
		return err
	})
}

// mayUseAlternate checks that the user may read the exchange and write its alternate.
func (a *Access) mayUseAlternate(name string, alternate amqp.Value) *amqp.Error {
	text, ok := alternate.Text()
	if !ok {
		return nil // the definitions refuse it with the right text
	}
	if err := a.allowed(auth.Read, "exchange", exchangeName(name)); err != nil {
		return err
	}
	return a.mayWrite(string(text))
}

// DeleteExchange deletes an exchange, with ifUnused only when nothing is bound to it.
func (a *Access) DeleteExchange(name string, ifUnused bool) *amqp.Error {
	if err := a.allowed(auth.Configure, "exchange", exchangeName(name)); err != nil {
		return err
	}
	v := a.vhost
	return v.change(func(log *journal) *amqp.Error {
		removed, err := v.definitions.DeleteExchange(name, ifUnused)
		if err != nil {
			return err
		}
		v.removed(&removed, log)
		if len(removed.Exchanges) == 0 {
			log.await(v, definition.Command{
				Kind: definition.DeleteExchangeKind, Exchange: definition.Exchange{Name: name},
			})
		}
		return nil
	})
}

// CheckQueue answers a passive declare.
func (a *Access) CheckQueue(name string) (*Queue, *amqp.Error) {
	if err := a.mayKnow("queue", name); err != nil {
		return nil, err
	}
	q, err := a.queue(name)
	if err == nil {
		q.touch()
	}
	return q, err
}

// queue returns the queue of that name, when this connection may use it.
func (a *Access) queue(name string) (*Queue, *amqp.Error) {
	a.vhost.mu.RLock()
	defer a.vhost.mu.RUnlock()
	if _, err := a.vhost.definitions.CheckQueue(name, a.id); err != nil {
		return nil, err
	}
	return a.vhost.queues[name], nil
}

// DeclareQueue declares a queue; an empty name is replaced by a generated one. A durable
// queue is on stable storage on return.
func (a *Access) DeclareQueue(d definition.Queue) (*Queue, *amqp.Error) {
	generated := d.Name == ""
	if generated {
		d.Name = GeneratedName("amq.gen-")
	}
	if err := a.allowed(auth.Configure, "queue", d.Name); err != nil {
		return nil, err
	}
	if target, ok := d.Arguments.Lookup("x-dead-letter-exchange"); ok {
		if text, ok := target.Text(); ok {
			if err := a.allowed(auth.Read, "queue", d.Name); err != nil {
				return nil, err
			}
			if err := a.mayWrite(string(text)); err != nil {
				return nil, err
			}
		}
	}
	d.Owner = a.id
	d.Generated = generated
	return a.vhost.declareQueue(d)
}

// GeneratedName returns a name nobody can guess, in RabbitMQ's form.
func GeneratedName(prefix string) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails, see its documentation
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// DeleteQueue deletes a queue; a queue that is not there is deleted already. deleted is told
// how many messages were ready in it, before its consumers are told that it is gone.
func (a *Access) DeleteQueue(
	b *Batch, name string, ifUnused, ifEmpty bool, deleted func(ready int),
) *amqp.Error {
	if err := a.allowed(auth.Configure, "queue", name); err != nil {
		return err
	}
	q, err := a.queue(name)
	if err != nil {
		if err.Code != amqp.NotFound {
			return err
		}
		_, err := a.vhost.existing(definition.Command{
			Kind: definition.DeleteQueueKind, Queue: definition.Queue{Name: name},
		}, func() (bool, *amqp.Error) { return true, nil })
		if err == nil {
			deleted(0)
		}
		return err
	}
	if err := q.unconditional(name, a.vhost.name, ifUnused, ifEmpty); err != nil {
		return err
	}
	ready := 0
	check := func(stats QueueStats) *amqp.Error {
		ready = stats.Ready
		switch {
		case ifEmpty && stats.Ready > 0:
			return amqp.NewError(amqp.PreconditionFailed, "queue '%s' in vhost '%s' not empty",
				name, a.vhost.name)
		case ifUnused && stats.Consumers > 0:
			return amqp.NewError(amqp.PreconditionFailed, "queue '%s' in vhost '%s' in use",
				name, a.vhost.name)
		}
		return nil
	}
	return a.vhost.delete(b, []*Queue{q}, check, func() { deleted(ready) })
}

// unconditional refuses to delete a quorum queue only if it is unused or empty: RabbitMQ cannot.
func (q *Queue) unconditional(name, vhost string, ifUnused, ifEmpty bool) *amqp.Error {
	if q.Definition.Type != "quorum" || !ifUnused && !ifEmpty {
		return nil
	}
	condition := "if-unused"
	if !ifUnused {
		condition = "if-empty"
	}
	return amqp.NewError(amqp.NotImplemented, "cannot delete queue '%s' in vhost '%s'. "+
		"queue.delete operations with %s flag set are not supported by quorum queues",
		name, vhost, condition)
}

// ReadableQueue returns a queue the user may consume from.
func (a *Access) ReadableQueue(name string) (*Queue, *amqp.Error) {
	if err := a.allowed(auth.Read, "queue", name); err != nil {
		return nil, err
	}
	q, err := a.queue(name)
	if err != nil {
		return nil, err
	}
	if f := q.Flow(); f.State == FlowQuarantined { // as RabbitMQ says it of a queue that is down
		return nil, amqp.NewError(amqp.NotFound, "queue '%s' in vhost '%s' is quarantined: %s",
			name, a.vhost.name, f.Reason)
	}
	return q, nil
}

// PurgeQueue drops the ready messages of a queue and returns how many there were.
func (a *Access) PurgeQueue(b *Batch, name string) (int, *amqp.Error) {
	q, err := a.ReadableQueue(name)
	if err != nil {
		return 0, err
	}
	ready := q.Stats().Ready
	b.Do(q, queue.Command{Kind: queue.Purge})
	return ready, nil
}

// Bind binds a queue or an exchange to an exchange. A binding of durable ends is on stable
// storage on return.
func (a *Access) Bind(e exchange.Binding) *amqp.Error {
	if err := a.mayBind(&e); err != nil {
		return err
	}
	v := a.vhost
	c := definition.Command{Kind: definition.BindKind, VHost: v.name, Binding: e}
	done, err := v.existing(c, func() (bool, *amqp.Error) {
		if !v.definitions.Bound(e) {
			return false, nil
		}
		_, err := v.definitions.Bind(e, a.id)
		return true, err
	})
	if done {
		return err
	}
	var past []message.Message
	defer func() { v.replay(past, &e) }()
	return v.change(func(log *journal) *amqp.Error {
		created, err := v.definitions.Bind(e, a.id)
		switch {
		case err != nil:
		case !created:
			log.await(v, c)
		default:
			past = v.past(e.Source)
			v.generations.exchangeChanged(e.Source)
			log.rerouted = true
			if v.definitions.Durable(e) {
				log.add(c)
			}
		}
		return err
	})
}

// Unbind removes a binding; one that is not there is removed already.
func (a *Access) Unbind(e exchange.Binding) *amqp.Error {
	if err := a.mayBind(&e); err != nil {
		return err
	}
	v := a.vhost
	return v.change(func(log *journal) *amqp.Error {
		durable := v.definitions.Durable(e)
		removed, err := v.definitions.Unbind(e, a.id)
		if err != nil {
			return err
		}
		c := definition.Command{Kind: definition.UnbindKind, VHost: v.name, Binding: e}
		switch {
		case len(removed.Bindings) == 0:
			log.await(v, c)
		case durable:
			log.add(c)
		}
		v.removed(&removed, log)
		return nil
	})
}

func (a *Access) mayBind(e *exchange.Binding) *amqp.Error {
	kind, destination := "queue", e.Destination
	if e.ToExchange {
		kind, destination = "exchange", exchangeName(e.Destination)
	}
	if err := a.allowed(auth.Write, kind, destination); err != nil {
		return err
	}
	if err := a.allowed(auth.Read, "exchange", exchangeName(e.Source)); err != nil {
		return err
	}
	return a.mayReadTopic(e.Source, e.RoutingKey)
}

// Ask carries out a Subscribe or a Get after everything else in b; the queue's answer goes to
// the consumer's Receiver. It is NOT_FOUND, and nothing is received, when q has ended since it
// was looked up.
func (a *Access) Ask(b *Batch, q *Queue, c queue.Command) *amqp.Error {
	b.unanswered = false
	b.Do(q, c)
	if !b.unanswered {
		return nil
	}
	return amqp.NewError(amqp.NotFound, "no queue '%s' in vhost '%s'", q.Name(), a.vhost.name)
}
