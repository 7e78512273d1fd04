package broker

import (
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

const (
	// releaseMax is how many delayed messages are released before the store is told.
	releaseMax = 256
	// releaseRetry is how long what is due waits while publishers are blocked by an alarm.
	releaseRetry = time.Second
)

// schedule sets the timer for what is due first; mu is held.
func (d *delayed) schedule() {
	due, ok := d.pending.Next()
	if !ok || d.running || d.wake != 0 && d.wake <= due {
		return
	}
	d.m.clock.timers.Stop(d.timer) // it may come all the same, and finds nothing to do
	d.wake = due
	d.timer = d.m.clock.timers.After(time.Until(time.UnixMilli(due)), d)
}

// Due implements wheel.Task.
func (d *delayed) Due() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake, d.timer = 0, 0
	if d.running || d.ended {
		return
	}
	d.running = true
	d.m.start(d.release)
}

// release publishes what is due, until nothing is.
func (d *delayed) release() {
	r := releaser{d: d, batch: d.m.NewBatch(), routes: RouteCache{inside: true}}
	r.arena.Pool = d.m.Chunks()
	for r.some() {
	}
	r.batch.Release()
}

// releaser is what it takes to release messages.
type releaser struct {
	d      *delayed
	batch  *Batch
	routes RouteCache
	arena  message.Arena
	due    []dueMessage
	stored []store.Stored
	done   []uint64
	keys   [][]byte
}

// dueMessage is a message whose time has come.
type dueMessage struct {
	number   uint64
	message  message.Message
	resident bool // else it has to be read
}

// some releases some messages. It reports false when it is not to be called again.
func (r *releaser) some() (more bool) {
	if !r.take() {
		return false
	}
	d, good := r.d, true
	r.done = r.done[:0]
	for at := 0; at < len(r.due) && good; {
		if x := &r.due[at]; x.resident {
			good = r.publish(x.number, &x.message)
			at++
			continue
		}
		end := at + 1
		for end < len(r.due) && !r.due[end].resident && r.due[end].number == r.due[end-1].number+1 {
			end++
		}
		good = r.load(r.due[at].number, r.due[end-1].number)
		at = end
	}
	r.batch.Run()
	clear(r.due)
	if len(r.done) > 0 {
		d.settle(r.done) // behind the messages in the log: none is lost in between
	}
	return good
}

// take takes what is due from what waits, the earliest first. When there is nothing, or when it is
// not the time, it sets the timer.
func (r *releaser) take() bool {
	d := r.d
	d.mu.Lock()
	defer d.mu.Unlock()
	r.due = r.due[:0]
	now := milliseconds()
	switch {
	case d.ended || d.m.closing.Load():
		d.running = false
		return false
	case d.m.Alarms() != 0:
		d.running = false
		d.wake = now + releaseRetry.Milliseconds()
		d.timer = d.m.clock.timers.After(releaseRetry, d)
		return false
	}
	for len(r.due) < releaseMax {
		number, ok := d.pending.Pop(now)
		if !ok {
			break
		}
		m, ok := d.take(number)
		r.due = append(r.due, dueMessage{number, m.Message, ok})
	}
	if len(r.due) == 0 {
		d.running = false
		d.schedule()
	}
	return len(r.due) > 0
}

// load reads messages with numbers in a row from the store, and releases them.
func (r *releaser) load(first, last uint64) bool {
	d := r.d
	for from := first; from <= last; {
		var err error
		r.stored, from, err = d.m.store.Load(d.disk[0], from, last, queue.LoadBytes, r.stored[:0])
		if err != nil {
			d.failed(err)
			return d.m.store.Err() == nil // others may be readable
		}
		for _, s := range r.stored {
			m, _, err := message.Decode(s.Message, 0)
			if err != nil {
				d.failed(err)
				continue
			}
			if !r.publish(s.Number, &m) {
				return false
			}
		}
		clear(r.stored)
	}
	return true
}

// publish routes a message from the exchange in which it waited. It reports false when the log does
// not take it.
func (r *releaser) publish(number uint64, waited *message.Message) bool {
	props := exchange.AppendReleased(nil, waited.Properties())
	m, ok := r.rebuild(waited, props)
	if !ok {
		m = *waited
	}
	route := r.route(&m, props)
	if route.Err != nil || !route.Takes() {
		m.Release()
	} else if r.batch.publishReleased(route, &m) == Never {
		return false
	}
	r.done = append(r.done, number)
	if r.batch.Full() {
		r.batch.Run()
	}
	return true
}

// rebuild returns the message with other properties. ok is false when it would be too large for the
// store by that.
func (r *releaser) rebuild(
	old *message.Message, props amqp.RawProperties,
) (m message.Message, ok bool) {
	if old.Size()-len(old.Properties())+len(props)+message.HeadMax > store.MessageBytesMax {
		return m, false
	}
	var b message.Builder
	body := old.Body()
	err := b.Begin(&r.arena, old.Exchange(), old.RoutingKey(), props, uint64(len(body)))
	if err != nil {
		return m, false
	}
	b.Append(body)
	return b.Done(), true
}

// route finds where the message goes now: by its key, and by those it is to be copied to.
func (r *releaser) route(m *message.Message, props amqp.RawProperties) *Route {
	r.keys = append(r.keys[:0], m.RoutingKey())
	if v, ok := props.Headers().Lookup("CC"); ok {
		v.Each(func(key amqp.Value) bool {
			if text, ok := key.Text(); ok {
				r.keys = append(r.keys, text)
			}
			return true
		})
	}
	name := []byte(r.d.name)
	if len(r.keys) == 1 {
		return r.routes.find(r.d.vhost, name, r.keys[0], props)
	}
	return r.routes.routeAll(r.d.vhost, name, props, r.keys)
}
