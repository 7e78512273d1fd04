package broker

import (
	"errors"
	"slices"

	"github.com/warrenmq/warren/internal/deadletter"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

const (
	// letterRunMax is how many letters are sent before the queues get them: as many as a queue
	// drops at once. letterRunBytes is the size of the originals after which it is fewer.
	letterRunMax   = 256
	letterRunBytes = 1 << 20
	// followersMax is what letters may cost that follow from other letters, all that a batch sends
	// on at a time together; followersEach is what may be added for each message that died
	// otherwise, as a multiple of its own cost. A letter of up to letterCostBytes costs 1. A
	// message is spread over queues that let it die, each of which sends it to all the others: n of
	// them make n! letters of it.
	followersMax    = 1 << 15
	followersEach   = 64
	letterCostBytes = 16 << 10
	// morgueKept is the number of dead messages for which a batch keeps room.
	morgueKept = 4 * deadMax
)

// errFollowers is why dead letters are lost that follow from others.
var errFollowers = errors.New("too many dead letters follow from one another")

// morgue is what a Batch needs to send dead messages on.
type morgue struct {
	dead    []dead // what died since somebody looked
	waiting []dead // what is to be sent, the last first
	roots   int    // how many of these follow from no letter; they are the last
	sending []dead
	busy    bool
	// followers is what letters that follow from those sent may still cost.
	followers int
	letters   deadletter.Writer
	arena     message.Arena
	routes    deadRoutes
	rest      union // the queues that have not taken a letter yet
	rejected  []rejection
	lost      lost
	// unfinished are queues that have more to do once what died so far has been sent on.
	unfinished []*Queue
}

// rejection says that a queue refused one of the letters that are being sent.
type rejection struct {
	letter uint32 // its index
	queue  *Queue
}

// lost counts letters that went nowhere because of an error, for the log.
type lost struct {
	count int
	queue *Queue // of the first
	err   error
}

func (g *morgue) lose(d *dead, err error) {
	if g.lost.count++; g.lost.count == 1 {
		g.lost.queue, g.lost.err = d.queue, err
	}
}

// cost is what a dead message costs of what may follow.
func (d *dead) cost() int { return 1 + d.message.Size()/letterCostBytes }

// bury sends on what died, and what dies of that, until nothing more does. That ends: a message
// that comes to a queue where it died before without a client's doing goes no further. What follows
// from a letter comes before the next ones, so that little waits at a time.
func (b *Batch) bury() {
	g := &b.morgue
	if g.busy {
		return // whoever is at it goes on with what has come
	}
	g.busy = true
	g.followers = followersMax
	for i := range g.dead {
		g.followers += (followersEach + 1) * g.dead[i].cost()
	}
	g.roots = len(g.dead)
	for len(g.dead) > 0 || len(g.waiting) > 0 {
		b.queueUp()
		b.sendSome()
		b.applyPending()
		b.sendOut()
		b.release()
	}
	for i, q := range g.unfinished {
		b.m.clock.add(q)
		g.unfinished[i] = nil
	}
	g.unfinished = g.unfinished[:0]
	if cap(g.waiting) > morgueKept {
		g.waiting, g.dead, g.sending = nil, nil, nil
	}
	if l := &g.lost; l.count > 0 {
		b.m.log.Warn("dead letters lost", "vhost", l.queue.VHostName(), "queue", l.queue.Name(),
			"count", l.count, "error", l.err)
		*l = lost{}
	}
	g.busy = false
}

// queueUp puts what has died in front of what waits. When that is too much, all that follows from
// letters is dropped.
func (b *Batch) queueUp() {
	g := &b.morgue
	for i := range slices.Backward(g.dead) {
		g.waiting = append(g.waiting, g.dead[i])
		g.followers -= g.dead[i].cost()
	}
	clear(g.dead)
	g.dead = g.dead[:0]
	if g.followers >= 0 {
		return
	}
	for i := g.roots; i < len(g.waiting); i++ {
		d := &g.waiting[i]
		g.lose(d, errFollowers)
		d.failed = true
		b.settleDead(d)
		b.answer(d)
		*d = dead{}
	}
	g.waiting = g.waiting[:min(g.roots, len(g.waiting))]
	b.releases.Flush()
}

// sendSome sends some of what waits.
func (b *Batch) sendSome() {
	g := &b.morgue
	size := 0
	for len(g.sending) < letterRunMax && size < letterRunBytes && !b.Full() {
		last := len(g.waiting) - 1
		if last < 0 {
			return
		}
		g.sending = append(g.sending, g.waiting[last])
		g.waiting[last] = dead{}
		g.waiting = g.waiting[:last]
		g.roots = min(g.roots, last)
		size += g.sending[len(g.sending)-1].message.Size()
		b.send(uint32(len(g.sending) - 1))
	}
}

// release lets go of the originals, or tells their queue what became of them.
func (b *Batch) release() {
	g := &b.morgue
	for _, r := range g.rejected {
		d := &g.sending[r.letter]
		d.failed = true
		d.to = slices.DeleteFunc(d.to, func(q *Queue) bool { return q == r.queue })
	}
	clear(g.rejected)
	g.rejected = g.rejected[:0]
	for i := range g.sending {
		b.answer(&g.sending[i])
	}
	clear(g.sending)
	g.sending = g.sending[:0]
	b.releases.Flush()
	b.applyPending()
	b.sendOut()
}

// answer lets go of an original, and tells its queue what became of it if that keeps it.
func (b *Batch) answer(d *dead) {
	b.releases.Add(&d.message)
	if !d.kept {
		return
	}
	c := queue.Command{Kind: queue.DeadDone, Seq: d.seq}
	if d.failed {
		c.Kind = queue.DeadFailed
	} else {
		b.m.countArrived(d.queue)
	}
	d.queue.took(d)
	b.Add(d.queue, c)
}

// sendKept sends a letter that must arrive to those who have not taken it yet.
func (b *Batch) sendKept(i uint32, route *Route, letter message.Message) {
	d := &b.morgue.sending[i]
	taken, again := d.queue.takenBy(d.seq)
	if again && route.Err == nil {
		route = b.morgue.without(route, taken)
	}
	switch {
	case route.Err == nil && route.Takes():
		if route.Rejects() && (len(route.queues) > 1 || route.keeps != nil) || again {
			d.to = append(slices.Clone(taken), route.queues...)
		}
		b.PublishFor(route, &letter, deadTicket|i)
	case again && route.Err == nil && len(taken) > 0:
		letter.Release() // who has not taken it is no more
	default:
		letter.Release()
		d.failed = true
	}
}

// without returns a route to the queues that have not taken a letter. Exchanges that keep it have.
func (g *morgue) without(r *Route, taken []*Queue) *Route {
	g.rest.begin()
	for _, q := range r.queues {
		if !slices.Contains(taken, q) {
			g.rest.addQueue(q)
		}
	}
	return &g.rest.route
}

// takenBy returns which queues have taken the letter of a message that some refused, and whether
// it was sent before.
func (q *Queue) takenBy(seq uint64) (taken []*Queue, again bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken, again = q.letters[seq]
	return taken, again
}

// took notes which queues took a letter, until all have. There are as many entries as messages that
// the queue keeps.
func (q *Queue) took(d *dead) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !d.failed:
		delete(q.letters, d.seq)
	case d.to != nil:
		if q.letters == nil {
			q.letters = make(map[uint64][]*Queue)
		}
		q.letters[d.seq] = d.to
	}
}
