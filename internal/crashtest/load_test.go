package crashtest

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// The queues under load, all durable. Messages come directly or by the fan-out exchange.
const (
	slowQueue     = "slow"     // its consumer leaves old messages lying
	purgedQueue   = "purged"   // has no consumer and is purged now and then
	fleetingQueue = "fleeting" // is deleted and declared again now and then
	marksQueue    = "marks"    // what clients publish to learn that what they did before is safe
	fanExchange   = "fan"
)

func workQueues() []string { return []string{"work0", "work1", "work2"} }

func fanQueues() []string { return []string{"work0", slowQueue, purgedQueue, fleetingQueue} }

func allQueues() []string {
	return append(workQueues(), slowQueue, purgedQueue, fleetingQueue, marksQueue)
}

// bodyMax is the largest body sent.
const bodyMax = 100 << 10

// load is what clients do to a broker until it dies or stop is called.
type load struct {
	addr    string
	ledger  *ledger
	filler  []byte // of bodies
	stopped atomic.Bool
	wg      sync.WaitGroup
	mu      sync.Mutex
	err     error // the first violation
}

// windows are how many messages publishers leave unconfirmed.
func windows() []int { return []int{1, 30, 1000} }

// startLoad opens connections and begins; what they do is chosen by random.
func startLoad(addr string, g *ledger, random *rand.Rand) *load {
	l := &load{addr: addr, ledger: g, filler: make([]byte, 2*bodyMax)}
	for i := range l.filler {
		l.filler[i] = byte(random.Uint32())
	}
	for _, window := range windows() {
		p := &publisher{load: l, random: split(random), window: window}
		l.start(p.run)
	}
	for _, queue := range append(workQueues(), slowQueue) {
		c := &consumer{load: l, random: split(random), queue: queue}
		c.prefetch = []int{1, 20, 300}[random.IntN(3)]
		l.start(c.run)
	}
	s := &sweeper{load: l, random: split(random)}
	l.start(s.run)
	return l
}

func split(random *rand.Rand) *rand.Rand {
	return rand.New(rand.NewPCG(random.Uint64(), random.Uint64()))
}

// start runs a client on a connection of its own. That the connection breaks is not its fault.
func (l *load) start(run func(*link) error) {
	l.wg.Go(func() {
		k, err := dial(l.addr)
		if err == nil {
			err = run(k)
			k.close()
		}
		if errors.Is(err, errViolation) || errors.Is(err, errPatience) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.err == nil {
				l.err = err
			}
		}
	})
}

// wait returns the first violation when all clients have ended: the broker has, or stop was
// called.
func (l *load) wait() error {
	l.wg.Wait()
	return l.err
}

// body makes one of a random size, most of them small.
func (l *load) body(random *rand.Rand) []byte {
	size := 0
	switch n := random.IntN(100); {
	case n < 5:
	case n < 50:
		size = random.IntN(200)
	case n < 85:
		size = random.IntN(2 << 10)
	case n < 97:
		size = random.IntN(16 << 10)
	default:
		size = random.IntN(bodyMax + 1)
	}
	at := random.IntN(len(l.filler) - size)
	return l.filler[at : at+size]
}

// confirms follows the messages that one channel has published.
type confirms struct {
	ledger    *ledger
	publisher uint32
	sent      uint32          // number of the last
	confirmed uint32          // all up to here
	early     map[uint32]bool // confirmed before those in front of them
}

// next is the next message to publish, in the ledger.
func (c *confirms) next(body []byte, persistent bool, queues ...string) amqp.Properties {
	c.sent++
	id := ident{c.publisher, c.sent}
	c.ledger.willSend(id, body, persistent, queues...)
	p := amqp.Properties{MessageID: id.String(), DeliveryMode: 1}
	if persistent {
		p.DeliveryMode = 2
	}
	return p
}

// take takes a confirm.
func (c *confirms) take(m amqp.Method) error {
	ack, ok := m.(*amqp.BasicAck)
	if !ok {
		return violation("%+v came, no confirm", m)
	}
	last := uint32(ack.DeliveryTag)
	if last <= c.confirmed || last > c.sent || c.early[last] {
		return violation("the confirm of %d came after that of %d, of %d sent",
			last, c.confirmed, c.sent)
	}
	first := last
	if ack.Multiple {
		first = c.confirmed + 1
		c.confirmed = last
	} else {
		c.early[last] = true
	}
	c.ledger.confirmed(c.publisher, first, last)
	for ; c.early[c.confirmed+1]; c.confirmed++ {
		delete(c.early, c.confirmed+1)
	}
	return nil
}

// open puts a channel in confirm mode.
func (c *confirms) open(k *link, channel uint16, g *ledger) error {
	c.ledger, c.publisher, c.early = g, g.newPublisher(), make(map[uint32]bool)
	_, err := k.call(channel, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	return err
}

// publisher keeps a window of messages unconfirmed.
type publisher struct {
	*load
	random *rand.Rand
	window int
	confirms
}

// publisherMax is how many messages a publisher sends in one life of a broker.
const publisherMax = 2000

func (p *publisher) run(k *link) error {
	if err := p.open(k, 1, p.load.ledger); err != nil {
		return err
	}
	var sendErr error
	for {
		open := sendErr == nil && !p.stopped.Load() && p.sent < publisherMax
		if open && int(p.sent-p.confirmed) <= p.window/2 {
			for int(p.sent-p.confirmed) < p.window {
				p.add(k)
			}
			sendErr = k.send() // what has arrived by then counts as confirmed
		}
		if !open && p.sent == p.confirmed {
			return sendErr
		}
		m, err := k.next()
		if err != nil {
			return err
		}
		if err := p.take(m); err != nil {
			return err
		}
	}
}

// add appends a message to somebody.
func (p *publisher) add(k *link) {
	body, persistent := p.body(p.random), p.random.IntN(10) > 0
	exchange, queues := "", []string{""}
	switch n := p.random.IntN(20); {
	case n < 10:
		queues[0] = workQueues()[p.random.IntN(3)]
	case n < 16:
		exchange, queues = fanExchange, fanQueues()
	default:
		queues[0] = []string{slowQueue, purgedQueue, fleetingQueue}[p.random.IntN(3)]
	}
	properties := p.next(body, persistent, queues...)
	k.publish(1, exchange, queues[0], properties, body)
}

// mark publishes a message behind what was done before on the same connection. Its confirm
// proves that all this is on stable storage: the log keeps the order of what one connection
// does. A batch of acknowledgements joins the log at its end, but the publishes in it before: so
// a method that ends the batch goes first.
func (c *confirms) mark(k *link) uint32 {
	k.method(2, &amqp.BasicQos{})
	p := c.next(nil, true, marksQueue)
	k.publish(2, "", marksQueue, p, nil)
	return c.sent
}

// makeCertain publishes a mark and waits until it is confirmed.
func (c *confirms) makeCertain(k *link) error {
	seq := c.mark(k)
	if err := k.send(); err != nil {
		return err
	}
	for c.confirmed < seq {
		m, err := k.next()
		if err != nil {
			return err
		}
		if _, ok := m.(*amqp.BasicQosOk); ok {
			continue
		}
		if err := c.take(m); err != nil {
			return err
		}
	}
	return nil
}

// sweeper empties queues.
type sweeper struct {
	*load
	random *rand.Rand
	confirms
}

// sweepMax is the longest rest between two sweeps.
const sweepMax = 100 * time.Millisecond

func (s *sweeper) run(k *link) error {
	if err := s.open(k, 2, s.load.ledger); err != nil {
		return err
	}
	for !s.stopped.Load() {
		<-time.After(time.Duration(s.random.Int64N(int64(sweepMax))))
		var err error
		if s.random.IntN(2) == 0 {
			err = s.purge(k)
		} else {
			err = s.replace(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sweeper) purge(k *link) error {
	g := s.load.ledger
	known := g.willEmpty(purgedQueue)
	purge := &amqp.QueuePurge{Queue: purgedQueue}
	if _, err := k.call(1, purge, amqp.MethodQueuePurgeOk); err != nil {
		return err
	}
	g.emptied(purgedQueue)
	if err := s.makeCertain(k); err != nil {
		return err
	}
	g.settled(purgedQueue, known...)
	return nil
}

func (s *sweeper) replace(k *link) error {
	g := s.load.ledger
	known := g.willEmpty(fleetingQueue)
	remove := &amqp.QueueDelete{Queue: fleetingQueue}
	if _, err := k.call(1, remove, amqp.MethodQueueDeleteOk); err != nil {
		return err
	}
	g.settled(fleetingQueue, known...) // the definition is gone, on stable storage
	if err := declare(k, fleetingQueue); err != nil {
		return err
	}
	g.emptied(fleetingQueue)
	return nil
}

// declare declares a queue and what leads to it.
func declare(k *link, queue string) error {
	q := &amqp.QueueDeclare{Queue: queue, Durable: true}
	if _, err := k.call(1, q, amqp.MethodQueueDeclareOk); err != nil {
		return err
	}
	for _, name := range fanQueues() {
		if name == queue {
			b := &amqp.QueueBind{Queue: queue, Exchange: fanExchange}
			_, err := k.call(1, b, amqp.MethodQueueBindOk)
			return err
		}
	}
	return nil
}
