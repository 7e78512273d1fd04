package broker

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/queue"
)

// VHost is one virtual host: its definitions and the queues that stand behind them.
type VHost struct {
	m    *Manager
	name string
	salt uint64 // of hashes that tell the vhost's routes from those of others
	// generations tell what remembers routes when they are stale.
	generations generations
	passages    passages
	gone        atomic.Bool // the vhost has been deleted; set with mu held
	tracing     atomic.Bool
	connections int // that are open; guarded by the registry's lock
	// policing is held while policies change, until every queue does as they say.
	policing sync.Mutex

	// mu guards what follows. Whoever changes it also holds the manager's declaring lock, so
	// that changes reach the definitions journal in the order in which they were made.
	mu          sync.RWMutex
	definitions *definition.VHost
	queues      map[string]*Queue
	inOrder     inOrder
	exclusive   map[uint64]map[*Queue]struct{} // by the connection that owns them
	writing     map[string]*writing            // by subject: changes not yet on disk
	keepers     map[string]*keeper             // by exchange
}

// Name returns the vhost's name.
func (v *VHost) Name() string { return v.name }

// change runs f, which alters the definitions, and writes what has to outlive the node. It
// returns when that is on stable storage; others may see the change earlier.
func (v *VHost) change(f func(log *journal) *amqp.Error) *amqp.Error {
	v.m.declaring.Lock()
	log := journal{}
	v.mu.Lock()
	var err *amqp.Error
	if v.gone.Load() {
		err = amqp.NewError(amqp.ConnectionForced, "%s", v.goneReason())
	} else {
		err = f(&log)
	}
	w := v.write(&log)
	v.mu.Unlock()
	written := v.m.define(log.records)
	v.m.declaring.Unlock()
	if log.rerouted {
		v.m.routes.changed()
	}
	broken := written()
	v.wrote(&log, w, broken)
	if broken == nil {
		broken = log.wait()
	}
	if broken != nil {
		return broken
	}
	return err
}

// existing asks f whether what c declares is there already, so that nothing has to change and
// nothing is written. Somebody else may be writing it: then it waits for that.
func (v *VHost) existing(
	c definition.Command, f func() (done bool, err *amqp.Error),
) (done bool, err *amqp.Error) {
	v.mu.RLock()
	done, err = f()
	w := v.writingOf(&c)
	v.mu.RUnlock()
	if done && err == nil {
		err = w.wait()
	}
	return done, err
}

// declareQueue finds or makes a queue.
func (v *VHost) declareQueue(d definition.Queue) (*Queue, *amqp.Error) {
	q, err, done := v.existingQueue(&d)
	if !done {
		q, err = v.makeQueue(d)
	}
	if err == nil {
		q.awaitStable() // somebody else may be declaring it at this moment
		q.touch()
		v.m.counts.declared.Add(1)
	}
	return q, err
}

func (v *VHost) makeQueue(d definition.Queue) (q *Queue, err *amqp.Error) {
	stable := make(chan struct{})
	defer close(stable)
	err = v.change(func(log *journal) *amqp.Error {
		d.ID = v.m.nextQueueID()
		if err := v.m.roomForQueue(v, d.Name); err != nil {
			return err
		}
		declared, created, err := v.definitions.DeclareQueue(d)
		if err != nil {
			return err
		}
		if !created {
			q = v.queues[declared.Name]
			return nil
		}
		q = v.add(declared)
		v.m.counts.created.Add(1)
		v.generations.queueChanged(declared.Name)
		if q.logged() {
			q.stable = stable
			log.add(definition.Command{
				Kind: definition.DeclareQueueKind, VHost: v.name, Queue: *declared,
			})
		}
		return nil
	})
	return q, err
}

// existingQueue is the common case of a declare: the queue is there already. It needs no
// change of the definitions and nothing on disk.
func (v *VHost) existingQueue(d *definition.Queue) (q *Queue, err *amqp.Error, done bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	q = v.queues[d.Name]
	if q == nil {
		return nil, nil, false
	}
	_, _, err = v.definitions.DeclareQueue(*d)
	return q, err, true
}

// add makes the queue behind a definition; v.mu is held.
func (v *VHost) add(d *definition.Queue) *Queue {
	q := &Queue{Definition: d, vhost: v}
	effective, _ := v.definitions.Effective(d.Name)
	q.configure(effective)
	if q.logged() {
		q.disk = v.m.store.OpenQueue(q.storeID())
	}
	v.queues[d.Name] = q
	v.inOrder.changed()
	v.m.queues.Add(1)
	if d.Owner != 0 {
		if v.exclusive[d.Owner] == nil {
			v.exclusive[d.Owner] = make(map[*Queue]struct{})
		}
		v.exclusive[d.Owner][q] = struct{}{}
	}
	return q
}

// delete ends the queues for which check agrees, in the vhost's definitions first, then the queues
// themselves: their consumers are told through b, after deleted has been called. The error is that
// of the check, if there is one queue.
func (v *VHost) delete(
	b *Batch, queues []*Queue, check func(QueueStats) *amqp.Error, deleted func(),
) *amqp.Error {
	var gone []*Queue
	err := v.change(func(log *journal) *amqp.Error {
		for _, q := range queues {
			if v.queues[q.Name()] != q {
				log.await(v, definition.Command{
					Kind: definition.DeleteQueueKind, Queue: *q.Definition,
				})
				continue
			}
			if check != nil {
				if err := q.decideEnd(check); err != nil && len(queues) == 1 {
					return err
				} else if err != nil {
					continue
				}
			}
			v.remove(q, log)
			gone = append(gone, q)
		}
		return nil
	})
	if err == nil {
		deleted()
	}
	for _, q := range gone {
		b.apply(q, []queue.Command{{Kind: queue.Delete}})
		v.m.forget(q)
	}
	b.finish()
	return err
}

// remove takes a queue out of the definitions; v.mu is held.
func (v *VHost) remove(q *Queue, log *journal) {
	name := q.Name()
	v.m.counts.deleted.Add(1)
	removed := v.definitions.DeleteQueue(name)
	delete(v.queues, name)
	v.inOrder.changed()
	v.m.queues.Add(-1)
	delete(v.exclusive[q.Definition.Owner], q)
	if q.logged() {
		log.add(definition.Command{
			Kind: definition.DeleteQueueKind, VHost: v.name, Queue: *q.Definition,
		})
	}
	v.removed(&removed, log)
}

// removed makes the routes stale that led through what is gone, and records that exchanges went.
func (v *VHost) removed(r *definition.Removed, log *journal) {
	log.rerouted = log.rerouted || len(r.Exchanges) > 0 || len(r.Bindings) > 0
	v.m.exchanges.Add(-int64(len(r.Exchanges)))
	for _, x := range r.Exchanges {
		v.dropKeeper(x.Name)
		v.dropPassage(x.Name)
		v.generations.exchangeChanged(x.Name)
		if x.Durable {
			log.add(definition.Command{
				Kind: definition.DeleteExchangeKind, VHost: v.name,
				Exchange: definition.Exchange{Name: x.Name},
			})
		}
	}
	for _, name := range r.Queues {
		v.generations.queueChanged(name)
	}
	for i := range r.Bindings { // sorted by source
		if i == 0 || r.Bindings[i].Source != r.Bindings[i-1].Source {
			v.generations.exchangeChanged(r.Bindings[i].Source)
		}
	}
}

// deleteUnused ends queues whose last consumer left, or that nobody has used for long enough, but
// for those to which another came.
func (v *VHost) deleteUnused(b *Batch, queues ...*Queue) {
	_ = v.delete(b, queues, func(stats QueueStats) *amqp.Error {
		if stats.Consumers > 0 {
			return amqp.NewError(amqp.PreconditionFailed, "in use")
		}
		return nil
	}, func() {})
}

// closeOwner ends the exclusive queues of a connection.
func (v *VHost) closeOwner(b *Batch, owner uint64) {
	v.mu.RLock()
	queues, owns := v.exclusive[owner]
	owned := slices.Collect(maps.Keys(queues))
	v.mu.RUnlock()
	if !owns {
		return
	}
	if len(owned) > 0 {
		_ = v.delete(b, owned, nil, func() {})
	}
	v.mu.Lock()
	delete(v.exclusive, owner)
	v.mu.Unlock()
}

// Bindings returns every binding of the vhost, those of the default exchange included.
func (v *VHost) Bindings() []exchange.Binding {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.definitions.Bindings()
}

// Queues returns the queues of the vhost in the order of their names.
func (v *VHost) Queues() []*Queue {
	v.mu.RLock()
	defer v.mu.RUnlock()
	list := make([]*Queue, 0, len(v.queues))
	for _, d := range v.definitions.Queues() {
		list = append(list, v.queues[d.Name])
	}
	return list
}
