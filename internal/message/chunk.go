package message

import "sync/atomic"

const (
	// chunkStart is the size of a connection's first chunk; each chunk is twice as large as the
	// one before, up to chunkSize, so that a connection that publishes little holds little.
	chunkStart = 1 << 10
	// chunkSize is the piece of memory that small messages of one connection share. The runtime
	// serves two of that size from one span, without a lock; a message that stays long keeps its
	// whole chunk alive, so it must not be much larger either.
	chunkSize = 28 << 10
	// SharedMax is the size of the largest message that is put into a shared chunk.
	SharedMax = chunkSize / 4
	// CrowdMin is how many bytes of messages are worth a chunk of their own: fewer that stay long
	// should be moved, since all of the chunk stays with them.
	CrowdMin = chunkSize / 8
	// unsettled stands for the arena that still puts messages into a chunk, and for the holds of
	// those: more than there can be.
	unsettled = 1 << 40
)

// Chunk is memory that messages of one connection share. It goes back to its pool when the last of
// them has been released.
type Chunk struct {
	holds atomic.Int64
	pool  ChunkPool
	bytes []byte
}

// ChunkPool keeps chunks for the next who needs one. It is safe for concurrent use.
type ChunkPool interface {
	// Get returns a chunk that was Put, or nil.
	Get() *Chunk
	// Put takes a chunk that nobody uses.
	Put(c *Chunk)
}

// release ends holds, and gives the chunk back with the last.
func (c *Chunk) release(holds int64) {
	if c.holds.Add(-holds) == 0 {
		c.pool.Put(c)
	}
}

// Bytes returns the chunk's memory, for its pool.
func (c *Chunk) Bytes() []byte { return c.bytes }

// Arena gives small messages of one connection their memory, from chunks they share. The
// zero Arena is ready; it is not safe for concurrent use.
type Arena struct {
	// Pool is where chunks come from and go to; nil: they are left to the garbage collector.
	Pool ChunkPool

	rest  []byte // length 0, capacity what is left of the chunk
	size  int    // of the chunk when it was new
	chunk *Chunk // nil: it will not be reused
	given int64  // messages that lie in it
}

// reserve returns n bytes of capacity, n at most SharedMax, that belong to the caller, and the
// chunk that it thereby holds.
func (a *Arena) reserve(n int) ([]byte, *Chunk) {
	if cap(a.rest) < n {
		a.next(n)
	}
	piece := a.rest[:0:n]
	a.rest = a.rest[n:n]
	a.given++
	return piece, a.chunk
}

// next goes on in another chunk.
func (a *Arena) next(n int) {
	if a.chunk != nil {
		a.chunk.release(unsettled - a.given)
		a.chunk = nil
	}
	a.given = 0
	a.size = min(max(2*a.size, chunkStart, n), chunkSize)
	if a.size < chunkSize || a.Pool == nil {
		a.rest = make([]byte, 0, a.size)
		return
	}
	if a.chunk = a.Pool.Get(); a.chunk == nil {
		a.chunk = &Chunk{pool: a.Pool, bytes: make([]byte, 0, chunkSize)}
	}
	a.chunk.holds.Store(unsettled)
	a.rest = a.chunk.bytes
}

// Hold adds holds of the message for others to release.
func (m *Message) Hold(more int) {
	if m.chunk != nil && more > 0 {
		m.chunk.holds.Add(int64(more))
	}
}

// Release ends a hold of the message.
func (m *Message) Release() {
	if c := m.chunk; c != nil {
		m.chunk = nil
		c.release(1)
	}
}

// Releases ends holds of messages, those that came one after the other at once. The zero Releases
// is ready; it is not safe for concurrent use.
type Releases struct {
	chunk *Chunk
	count int64
}

// Add ends a hold of m, with a later Add or the next Flush.
func (r *Releases) Add(m *Message) {
	if m.chunk == nil {
		return
	}
	if m.chunk != r.chunk {
		r.Flush()
		r.chunk = m.chunk
	}
	r.count++
}

// Flush ends the holds that Add has not ended.
func (r *Releases) Flush() {
	if r.count > 0 {
		r.chunk.release(r.count)
		*r = Releases{}
	}
}

// Beside reports whether m and o lie in the same chunk, one that is reused.
func (m *Message) Beside(o *Message) bool { return m.chunk != nil && m.chunk == o.chunk }

// Shared reports whether the message is small enough to lie in a chunk with others.
func (m *Message) Shared() bool { return len(m.data) > 0 && len(m.data) <= SharedMax }

// MoveTo copies the message's bytes behind b, which has room for them, and lets go of those it
// had. It returns b with the bytes. Copies of m stay what they are: the hold of m never ends.
func (m *Message) MoveTo(b []byte) []byte {
	from := len(b)
	b = append(b, m.data...)
	m.data, m.chunk = b[from:len(b):len(b)], nil
	return b
}
