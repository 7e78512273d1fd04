package broker

import (
	"slices"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// keeper is what stands behind an exchange that keeps messages.
type keeper struct {
	history *history // nil: it keeps none for who is bound later
	delayed *delayed // nil: none waits in it
	// remembers and delays are for ways on which it is the only one.
	remembers, delays *keeps
}

// keeps is where a message is kept on its way to the queues of a route. It never changes.
type keeps struct {
	histories []*history
	delays    []*delayed
}

// waits tells whether a message waits somewhere on its way.
func (k *keeps) waits() bool { return k != nil && len(k.delays) > 0 }

func (k *keeps) equal(o *keeps) bool {
	return k == o || k != nil && o != nil && slices.Equal(k.histories, o.histories) &&
		slices.Equal(k.delays, o.delays)
}

// with returns both together, each keeper once.
func (k *keeps) with(o *keeps) *keeps {
	if k == nil || o == nil || k.equal(o) {
		if k == nil {
			return o
		}
		return k
	}
	sum := &keeps{histories: slices.Clone(k.histories), delays: slices.Clone(k.delays)}
	for _, h := range o.histories {
		if !slices.Contains(sum.histories, h) {
			sum.histories = append(sum.histories, h)
		}
	}
	for _, d := range o.delays {
		if !slices.Contains(sum.delays, d) {
			sum.delays = append(sum.delays, d)
		}
	}
	return sum
}

// keep publishes a message that exchanges keep on its way.
func (b *Batch) keep(r *Route, m *message.Message, ticket uint32) store.LSN {
	for _, h := range r.keeps.histories {
		h.keep(m)
	}
	var stable store.LSN
	for _, d := range r.keeps.delays {
		stable = max(stable, d.add(b, m))
	}
	if len(r.queues) == 0 {
		m.Release()
		return stable
	}
	return max(stable, b.publish(r, m, ticket))
}

// keeps returns where messages are kept on the way that was found, nil for nowhere; v.mu is held.
func (v *VHost) keeps(routing *definition.Routing) *keeps {
	switch kept, delayed := routing.Kept(), routing.Delayed(); {
	case len(kept)+len(delayed) == 0:
		return nil
	case len(kept) == 1 && len(delayed) == 0:
		return v.keepers[kept[0]].remembers
	case len(kept) == 0 && len(delayed) == 1:
		return v.keepers[delayed[0]].delays
	}
	k := new(keeps)
	for _, name := range routing.Kept() {
		k.histories = append(k.histories, v.keepers[name].history)
	}
	for _, name := range routing.Delayed() {
		k.delays = append(k.delays, v.keepers[name].delayed)
	}
	return k
}

// keeperOf makes what has to stand behind a new exchange; v.mu is held.
func (v *VHost) keeperOf(exchange string) {
	t := v.definitions.TypeOf(exchange)
	if t.History == 0 && !t.Delays {
		return
	}
	k := new(keeper)
	if t.History > 0 {
		k.history = newHistory(t.History, &v.m.histories)
		k.remembers = &keeps{histories: []*history{k.history}}
	}
	if t.Delays {
		x, _ := v.definitions.Exchange(exchange)
		k.delayed = newDelayed(v, x.Name, x.Durable, x.ID)
		k.delays = &keeps{delays: []*delayed{k.delayed}}
	}
	if v.keepers == nil {
		v.keepers = make(map[string]*keeper)
	}
	v.keepers[exchange] = k
}

// dropKeeper forgets what stood behind an exchange; v.mu is held.
func (v *VHost) dropKeeper(exchange string) {
	k := v.keepers[exchange]
	if k == nil {
		return
	}
	delete(v.keepers, exchange)
	if k.history != nil {
		k.history.close()
	}
	if k.delayed != nil {
		k.delayed.end()
	}
}

// delays returns what waits in exchanges, by the id that the store knows it by. It is called before
// anybody else is there.
func (m *Manager) delays() map[store.QueueID]*delayed {
	all := make(map[store.QueueID]*delayed)
	for _, v := range m.vhosts {
		for _, k := range v.keepers {
			if k.delayed != nil {
				all[k.delayed.disk[0].ID()] = k.delayed
			}
		}
	}
	return all
}

// startDelays has what waited when the node stopped wait again.
func (m *Manager) startDelays() {
	for _, d := range m.delays() {
		if len(d.recovered) > 0 {
			m.start(d.recover)
		}
	}
}
