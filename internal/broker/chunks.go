package broker

import (
	"sync"

	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/poison"
)

// chunkPool keeps the memory of small messages for the next ones.
type chunkPool struct{ pool sync.Pool }

// Get implements message.ChunkPool.
func (p *chunkPool) Get() *message.Chunk {
	c, _ := p.pool.Get().(*message.Chunk)
	return c
}

// Put implements message.ChunkPool.
func (p *chunkPool) Put(c *message.Chunk) {
	poison.Bytes(c.Bytes())
	p.pool.Put(c)
}

// Chunks is where doors get memory for small messages from. All give it back there.
func (m *Manager) Chunks() message.ChunkPool { return &m.chunks }
