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
}

// keeps is where a message is kept on its way to the queues of a route. It never changes.
type keeps struct {
	histories []*history
}

func (k *keeps) equal(o *keeps) bool {
	return k == o || k != nil && o != nil && slices.Equal(k.histories, o.histories)
}

// with returns both together, each keeper once.
func (k *keeps) with(o *keeps) *keeps {
	if k == nil || o == nil || k.equal(o) {
		if k == nil {
			return o
		}
		return k
	}
	sum := &keeps{histories: slices.Clone(k.histories)}
	for _, h := range o.histories {
		if !slices.Contains(sum.histories, h) {
			sum.histories = append(sum.histories, h)
		}
	}
	return sum
}

// keep publishes a message that exchanges keep on its way.
func (b *Batch) keep(r *Route, m message.Message, ticket uint32) store.LSN {
	for _, h := range r.keeps.histories {
		h.keep(&m)
	}
	if len(r.queues) == 0 {
		m.Release()
		return 0
	}
	return b.publish(r, m, ticket)
}

// keeps returns where messages are kept on the way that was found, nil for nowhere; v.mu is held.
func (v *VHost) keeps(routing *definition.Routing) *keeps {
	names := routing.Kept()
	if len(names) == 0 {
		return nil
	}
	k := new(keeps)
	for _, name := range names {
		if x := v.keepers[name]; x != nil && x.history != nil {
			k.histories = append(k.histories, x.history)
		}
	}
	return k
}

// keeperOf makes what has to stand behind a new exchange; v.mu is held.
func (v *VHost) keeperOf(exchange string) {
	t := v.definitions.TypeOf(exchange)
	if t.History == 0 {
		return
	}
	if v.keepers == nil {
		v.keepers = make(map[string]*keeper)
	}
	v.keepers[exchange] = &keeper{history: newHistory(t.History, &v.m.histories)}
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
}
