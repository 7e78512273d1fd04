package amqp091

import (
	"sync"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/poison"
)

const (
	// referMin is the size in bytes from which on a piece of a body is written from where the
	// message has it; below, a copy between the frames around it is cheaper.
	referMin = 8 << 10
	// referencesMax is the number of references from which on a buffer takes no further message.
	referencesMax = 128
	// referencesKeep is the largest list of references that is kept for later.
	referencesKeep = 2 * referencesMax
	// piecesMax is how many pieces one write takes together.
	piecesMax = 8
)

// A message that is written from where it lies must not lie in a chunk: that is reused as soon as
// queues have let the message go, be it written or not. This does not compile otherwise.
const _ = uint(referMin - 1 - message.SharedMax)

// frames are bytes to be written: those in small, and between them pieces of bodies that belong
// to messages.
type frames struct {
	small  []byte
	bodies []reference
	next   *frames // to be written after these; nil: none
}

// reference is a piece of a body that goes before small[at:].
type reference struct {
	at    int
	piece []byte
}

// framesPool holds what no connection needs at the moment.
var framesPool = sync.Pool{New: func() any { return &frames{small: make([]byte, 0, outputSize)} }}

// refer puts a piece of a body where small is at bytes long.
func (f *frames) refer(at int, piece []byte) {
	f.bodies = append(f.bodies, reference{at: at, piece: piece})
}

// recycle forgets everything and keeps the memory for later, if it is not too much.
func (f *frames) recycle() {
	poison.Bytes(f.small)
	if cap(f.small) > outputKeep || cap(f.bodies) > referencesKeep {
		return
	}
	clear(f.bodies)
	f.small, f.bodies = f.small[:0], f.bodies[:0]
	framesPool.Put(f)
}

// cursor is how far frames have been written.
type cursor struct {
	of     *frames
	at     int // of small
	body   int // index in bodies of the next piece
	within int // of that piece
}

// next is where small goes on after at: the place of the next body, or its end.
func (c *cursor) next(body int) int {
	if body < len(c.of.bodies) {
		return c.of.bodies[body].at
	}
	return len(c.of.small)
}

func (c *cursor) done() bool {
	return c.at == len(c.of.small) && c.body == len(c.of.bodies)
}

// pieces fills vec with what is to be written next, and says how many there are: at least one
// unless done.
func (c *cursor) pieces(vec *[piecesMax][]byte) int {
	n, at, within := 0, c.at, c.within
	for body := c.body; n < len(vec); body++ {
		if end := c.next(body); at < end {
			vec[n] = c.of.small[at:end]
			at = end
			n++
		}
		if body == len(c.of.bodies) || n == len(vec) {
			break
		}
		vec[n] = c.of.bodies[body].piece[within:]
		within = 0
		n++
	}
	return n
}

// advance says that n bytes have been written. Bodies are let go of one by one.
func (c *cursor) advance(n int) {
	for n > 0 {
		small := min(n, c.next(c.body)-c.at)
		c.at += small
		if n -= small; n == 0 {
			return
		}
		r := &c.of.bodies[c.body]
		large := min(n, len(r.piece)-c.within)
		c.within += large
		if n -= large; c.within == len(r.piece) {
			r.piece = nil
			c.body++
			c.within = 0
		}
	}
}
