package broker

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	// routesMax is the number of routes a node remembers, for all its publishers.
	routesMax = 1 << 16
	// routeQueuesMax is the number of queues that these routes may have together: a route to
	// many queues costs memory too.
	routeQueuesMax = 1 << 20
	// routeWays is the number of places among which a route finds its own.
	routeWays = 4
	// routesMin is the number of routes there is room for at first.
	routesMin = 64
	// wantedMax is the number of routes that are known to have been wanted once.
	wantedMax = 1 << 16
	// replaceEvery is how many routes that could be kept, if only there were room, make one
	// drive out another. With more keys than room in turn, each would drive out the next one.
	replaceEvery = 16
)

// routeTable remembers where messages go, by vhost, exchange and key. Looking is free of locks
// and of allocation. A route is only kept when it is wanted a second time: keys that never
// come again leave nothing behind and drive out nobody.
//
// The zero value needs a seed.
type routeTable struct {
	seed   maphash.Seed
	places atomic.Pointer[[]routeBucket]
	// wanted holds tags of routes, where their hash says.
	wanted   atomic.Pointer[[wantedMax]atomic.Uint32]
	homeless atomic.Uint32 // routes that could not be kept for lack of room

	mu     sync.Mutex
	count  int // of routes
	queues int // of all routes
	hand   int // the bucket that is tidied next
}

// routeBucket is where routes whose hashes end alike have their places.
type routeBucket struct {
	tags   [routeWays]atomic.Uint32 // part of the hash of the route in the same place
	routes [routeWays]atomic.Pointer[keptRoute]
}

// keptRoute is a route with what it is found by. All but used and the generation never changes.
type keptRoute struct {
	Route
	vhost    *VHost
	exchange string
	key      string
	hash     uint64
	used     atomic.Bool // since the hand came by
}

func (r *keptRoute) is(v *VHost, hash uint64, exchange, key []byte) bool {
	return r.hash == hash && r.vhost == v && r.key == string(key) &&
		r.exchange == string(exchange)
}

// hash is of all that a route is found by.
func (t *routeTable) hash(v *VHost, exchange, key []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	h := (maphash.Bytes(t.seed, exchange) + v.salt) * odd
	return h ^ maphash.Bytes(t.seed, key)
}

// fresh is a bit of all tags: none is 0, and one in wanted loses it before it goes.
const fresh = 1

func tagOf(hash uint64) uint32 { return uint32(hash>>32) | fresh }

// bucket returns where a hash belongs; nil: there is no table yet.
func (t *routeTable) bucket(hash uint64) *routeBucket {
	p := t.places.Load()
	if p == nil {
		return nil
	}
	return &(*p)[hash&uint64(len(*p)-1)]
}

// find returns a route that may be stale, nil when there is none.
func (t *routeTable) find(v *VHost, hash uint64, exchange, key []byte) *keptRoute {
	b := t.bucket(hash)
	if b == nil {
		return nil
	}
	tag := tagOf(hash)
	for i := range routeWays {
		if b.tags[i].Load() != tag {
			continue
		}
		if r := b.routes[i].Load(); r != nil && r.is(v, hash, exchange, key) {
			if !r.used.Load() { // most often it is: keep the line shared
				r.used.Store(true)
			}
			return r
		}
	}
	return nil
}

// admits reports whether a route that was not found should be kept: it was wanted before, and
// there is room, or it is its turn to drive out another.
func (t *routeTable) admits(hash uint64) bool {
	wanted := t.wanted.Load()
	if wanted == nil {
		t.wanted.CompareAndSwap(nil, new([wantedMax]atomic.Uint32))
		wanted = t.wanted.Load()
	}
	tag := tagOf(hash)
	if w := &wanted[hash%wantedMax]; w.Load()|fresh != tag {
		// The first that comes in between leaves it: else two keys that take turns never meet
		// themselves.
		if old := w.Load(); old&fresh != 0 {
			w.Store(old &^ fresh)
		} else {
			w.Store(tag)
		}
		return false
	}
	b := t.bucket(hash)
	if b == nil {
		return true
	}
	for i := range routeWays {
		if r := b.routes[i].Load(); r == nil || !r.current() {
			return true
		}
	}
	return t.homeless.Add(1)%replaceEvery == 0
}

// keep remembers a route, in place of another if need be.
func (t *routeTable) keep(r *keptRoute) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(r.queues)
	if n > routeQueuesMax/routeWays {
		return
	}
	t.grow()
	for range 2 * len(*t.places.Load()) { // once to take back, once to take
		if t.queues+n <= routeQueuesMax {
			break
		}
		t.tidy(true)
	}
	if t.queues+n > routeQueuesMax {
		return
	}
	b := t.bucket(r.hash)
	t.put(b, t.victim(b, r), r)
}

// victim chooses a place: that of the same key, a free one, a stale one, or the first that was
// not used lately.
func (t *routeTable) victim(b *routeBucket, r *keptRoute) int {
	for i := range routeWays {
		if o := b.routes[i].Load(); o != nil && o.hash == r.hash && o.vhost == r.vhost &&
			o.key == r.key && o.exchange == r.exchange {
			return i
		}
	}
	for i := range routeWays {
		if o := b.routes[i].Load(); o == nil || !o.current() {
			return i
		}
	}
	start := int(r.hash>>60) % routeWays
	for i := range routeWays {
		at := (start + i) % routeWays
		if o := b.routes[at].Load(); !o.used.Swap(false) {
			return at
		}
	}
	return start
}

func (t *routeTable) put(b *routeBucket, i int, r *keptRoute) {
	if o := b.routes[i].Load(); o != nil {
		t.count--
		t.queues -= len(o.queues)
	}
	if r == nil {
		b.tags[i].Store(0)
		b.routes[i].Store(nil)
		return
	}
	t.count++
	t.queues += len(r.queues)
	b.routes[i].Store(r)
	b.tags[i].Store(tagOf(r.hash))
}

// grow makes room for more routes before places get scarce.
func (t *routeTable) grow() {
	old := t.places.Load()
	if old == nil {
		p := make([]routeBucket, routesMin/routeWays)
		t.places.Store(&p)
		return
	}
	size := len(*old) * routeWays
	if t.count < size/2 || size >= routesMax {
		return
	}
	p := make([]routeBucket, 2*len(*old))
	t.count, t.queues, t.hand = 0, 0, 0
	for i := range *old {
		for j := range routeWays {
			r := (*old)[i].routes[j].Load()
			if r == nil || !r.current() {
				continue
			}
			b := &p[r.hash&uint64(len(p)-1)]
			t.put(b, t.victim(b, r), r)
		}
	}
	t.places.Store(&p)
}

// tidy frees the places in the next bucket of routes that were not used since it was there last:
// of stale ones, or of all.
func (t *routeTable) tidy(all bool) {
	p := *t.places.Load()
	b := &p[t.hand%len(p)]
	t.hand = (t.hand + 1) % len(p)
	for i := range routeWays {
		r := b.routes[i].Load()
		if r != nil && (all || !r.current()) && !r.used.Swap(false) {
			t.put(b, i, nil)
		}
	}
}

// changed is told that remembered routes may have become stale. A bucket is tidied each time, so
// that queues that are gone do not stay in memory because of a route that nobody asks for.
func (t *routeTable) changed() {
	if t.places.Load() == nil || !t.mu.TryLock() {
		return
	}
	defer t.mu.Unlock()
	t.tidy(false)
}
