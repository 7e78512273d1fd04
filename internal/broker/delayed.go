package broker

import (
	"cmp"
	"slices"
	"sync"

	"github.com/warrenmq/warren/internal/delay"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/wheel"
)

const (
	// delayedResidentMax is how many bytes the messages that wait in one exchange may take in
	// memory; residentLow when those of the node take residentSum.
	delayedResidentMax = 1 << 20
	// delayedOverhead is about what a message in memory takes besides its bytes.
	delayedOverhead = 128
)

// delayed is the messages that wait in one exchange: the order in which they are due is in memory,
// they themselves are there as long as they are few, else in the store only. Persistent ones of a
// durable exchange are in the log before anything else, with the time at which they came, and
// survive; what they wait for is computed again when the node starts.
type delayed struct {
	m       *Manager
	vhost   *VHost
	name    string
	durable bool
	disk    [1]*store.Queue
	// recovered is where the store has messages from before the node started.
	recovered []store.Extent

	// spilling is held by who brings messages out of memory. It is taken before mu.
	spilling sync.Mutex

	mu       sync.Mutex
	pending  delay.Pending
	resident map[uint64]resident // those in memory, by number
	bytes    int                 // they take
	most     int                 // bytes at which they are brought out
	timer    wheel.Handle
	wake     int64 // when the timer comes; 0: it is not set
	running  bool  // somebody releases what is due
	ended    bool
}

// resident is a message in memory of its own.
type resident struct {
	message.Message
	logged bool
}

func (r *resident) cost() int { return r.Size() + delayedOverhead }

func newDelayed(v *VHost, name string, durable bool, id uint64) *delayed {
	d := &delayed{
		m: v.m, vhost: v, name: name, durable: durable, resident: make(map[uint64]resident),
		most: delayedResidentMax,
	}
	d.disk[0] = v.m.store.OpenQueue(store.QueueID(id))
	v.m.store.Scatter(d.disk[0])
	return d
}

// Waiting returns how many messages wait in an exchange.
func (v *VHost) Waiting(exchange string) int {
	v.mu.RLock()
	k := v.keepers[exchange]
	v.mu.RUnlock()
	if k == nil || k.delayed == nil {
		return 0
	}
	k.delayed.mu.Lock()
	defer k.delayed.mu.Unlock()
	return k.delayed.pending.Len()
}

// add takes in a message, which the caller still holds. It returns the position at which it is
// stored, as Batch.Publish does.
func (d *delayed) add(b *Batch, m *message.Message) store.LSN {
	now := milliseconds()
	due := now + exchange.DelayOf(m.Properties())
	var number uint64
	var stable store.LSN
	logged := d.durable && m.Persistent()
	if logged {
		if stable = b.log(d.disk[:], m, now); stable == 0 {
			return Never
		}
		number = b.numbers[0]
	}
	d.mu.Lock()
	if d.ended {
		d.mu.Unlock()
		if logged {
			d.settle([]uint64{number})
		}
		return stable
	}
	if !logged {
		number = d.disk[0].Number()
	}
	d.pending.Add(due, number)
	full := d.keep(number, m, logged)
	d.schedule()
	d.mu.Unlock()
	if full {
		d.spill(b)
	}
	return stable
}

// keep takes a copy of a message that is not in the store, and of one that is if there is room. It
// reports whether there are too many; mu is held.
func (d *delayed) keep(number uint64, m *message.Message, logged bool) (full bool) {
	r := resident{*m, logged}
	if logged && d.bytes+r.cost() > d.limit() {
		return false
	}
	r.MoveTo(make([]byte, 0, m.Size()))
	d.resident[number] = r
	d.account(r.cost())
	return d.bytes > d.limit()
}

// account notes that messages in memory take so many bytes more; mu is held.
func (d *delayed) account(bytes int) {
	d.bytes += bytes
	d.m.resident.Add(int64(bytes))
}

func (d *delayed) limit() int {
	if d.m.resident.Load() > residentSum {
		return residentLow
	}
	return d.most
}

// take removes a message from memory, if it is there; mu is held.
func (d *delayed) take(number uint64) (r resident, ok bool) {
	if r, ok = d.resident[number]; ok {
		delete(d.resident, number)
		d.account(-r.cost())
	}
	return r, ok
}

// spill brings all messages out of memory. It is the publisher who made them too many that is held
// up by this.
func (d *delayed) spill(b *Batch) {
	if b.Hold != nil {
		b.Hold.Begin(WaitQueue)
		defer b.Hold.End()
	}
	d.spilling.Lock()
	defer d.spilling.Unlock()
	out := d.outgoing()
	if len(out) == 0 {
		return
	}
	err := d.m.store.Spill(d.disk[0], out)
	if err != nil {
		d.m.log.Error("delayed messages stay in memory", "vhost", d.vhost.name,
			"exchange", d.name, "error", err)
	}
	var gone []uint64 // were released meanwhile, and settled too early
	d.mu.Lock()
	d.most = delayedResidentMax
	for i := range out {
		if err != nil {
			d.most = 2 * d.bytes // do not try again with each message
		} else if _, ok := d.take(out[i].Number); !ok {
			gone = append(gone, out[i].Number)
		}
	}
	ended := d.ended
	d.mu.Unlock()
	if len(gone) > 0 {
		d.settle(gone)
	}
	if ended {
		d.m.store.DeleteQueue(d.disk[0]) // what came after its end too
	}
}

// outgoing drops the messages that the store has, and returns the others, which stay for now.
func (d *delayed) outgoing() []store.Stored {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bytes <= d.limit() || d.ended {
		return nil
	}
	out := make([]store.Stored, 0, len(d.resident))
	for number, r := range d.resident {
		if r.logged {
			d.take(number)
			continue
		}
		out = append(out, store.Stored{
			Number: number, Head: r.AppendHead(nil, 0), Message: r.Bytes(),
		})
	}
	slices.SortFunc(out, func(a, b store.Stored) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// settle tells the store that messages are gone for good.
func (d *delayed) settle(numbers []uint64) {
	slices.Sort(numbers)
	ranges := make([]store.Range, 0, len(numbers))
	for _, n := range numbers {
		if k := len(ranges); k > 0 && ranges[k-1].Last+1 == n {
			ranges[k-1].Last = n
			continue
		}
		ranges = append(ranges, store.Range{First: n, Last: n})
	}
	d.m.store.Settle(d.disk[0], ranges)
}

// end forgets everything. It may be called with the vhost locked.
func (d *delayed) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ended = true
	d.account(-d.bytes)
	d.pending.Clear()
	d.resident = nil
	d.m.clock.timers.Stop(d.timer)
	d.m.start(func() { d.m.store.DeleteQueue(d.disk[0]) }) // which may wait for the disk
}

// recover reads again what waited when the node stopped, and when it is due. What is due already is
// released at once.
func (d *delayed) recover() {
	var stored []store.Stored
	for _, e := range d.recovered {
		for from := e.First; from <= e.Last && !d.m.closing.Load(); {
			var err error
			stored, from, err = d.m.store.Load(d.disk[0], from, e.Last, queue.LoadBytes, stored[:0])
			if err == nil {
				err = d.addStored(stored)
			}
			if err != nil {
				d.failed(err)
				return
			}
		}
	}
	d.recovered = nil
}

func (d *delayed) addStored(stored []store.Stored) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	for _, s := range stored {
		m, at, err := message.Decode(s.Message, s.Number)
		if err != nil {
			return err
		}
		d.pending.Add(at+exchange.DelayOf(m.Properties()), s.Number)
	}
	d.schedule()
	return nil
}

// failed says that messages cannot be read. They stay in the store, and are tried again when the
// node starts again.
func (d *delayed) failed(err error) {
	if d.m.store.Err() == nil && !d.m.closing.Load() {
		d.m.log.Error("delayed messages cannot be read", "vhost", d.vhost.name, "exchange", d.name,
			"error", err)
	}
}
