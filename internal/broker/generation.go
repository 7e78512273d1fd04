package broker

import (
	"hash/maphash"
	"sync/atomic"
)

// generations count the changes that routes depend on, so that whoever remembers a route can
// tell without a lock whether it is still good. Names share counts: a change may cost a route
// of another name a fresh look, and never leaves a stale one.
type generations struct {
	seed maphash.Seed
	// exchanges count changes of an exchange and of the bindings from it, by its name.
	exchanges [sharesMax]atomic.Uint64
	// queues count queues that come and go, by name: what the default exchange depends on.
	queues [sharesMax]atomic.Uint64
	// all counts changes of any exchange: messages may go through several.
	all atomic.Uint64
	// permissions counts changes of who may publish.
	permissions atomic.Uint64
}

// sharesMax is the number of counts that names share, a power of two: with it, one of 32 queues
// that come and go costs the route to another queue a fresh look.
const sharesMax = 32

func (g *generations) ofExchange(name []byte) *atomic.Uint64 {
	return &g.exchanges[maphash.Bytes(g.seed, name)%sharesMax]
}

func (g *generations) ofQueue(name []byte) *atomic.Uint64 {
	return &g.queues[maphash.Bytes(g.seed, name)%sharesMax]
}

// exchangeChanged is told of each exchange that was declared or deleted, or had a binding from
// it made or removed.
func (g *generations) exchangeChanged(name string) {
	g.exchanges[maphash.String(g.seed, name)%sharesMax].Add(1)
	g.all.Add(1)
}

// queueChanged is told of each queue that was declared or deleted.
func (g *generations) queueChanged(name string) {
	g.queues[maphash.String(g.seed, name)%sharesMax].Add(1)
}

// everythingChanged makes every route of the vhost stale.
func (g *generations) everythingChanged() {
	for i := range sharesMax {
		g.exchanges[i].Add(1)
		g.queues[i].Add(1)
	}
	g.all.Add(1)
}
