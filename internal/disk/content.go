package disk

import (
	"bytes"
	"io"
	"slices"
)

// block is a part of a file in memory. It is never written to once a content has it, so that all
// states of a file share what they have in common.
type block [BlockBytes]byte

// content is the bytes of a file. A copy of the struct is another content of the same bytes;
// whoever copies it marks both as shared.
type content struct {
	size   int64
	blocks []*block // as many as hold size; nil: zeros. Bytes behind size are zero.
	shared bool     // another content has the same table of blocks: copied before a change
}

// share returns another content with the same bytes.
func (c *content) share() content {
	c.shared = true
	return *c
}

// own makes the table of blocks this content's alone, with room for n.
func (c *content) own(n int) {
	if c.shared {
		blocks := make([]*block, len(c.blocks), max(n, len(c.blocks)))
		copy(blocks, c.blocks)
		c.blocks, c.shared = blocks, false
	}
	if grow := n - len(c.blocks); grow > 0 {
		c.blocks = append(c.blocks, make([]*block, grow)...)
	}
}

func blocksOf(size int64) int { return int((size + BlockBytes - 1) / BlockBytes) }

// readAt is io.ReaderAt.
func (c *content) readAt(b []byte, offset int64) (n int, err error) {
	if int64(len(b)) > c.size-offset {
		b, err = b[:max(0, c.size-offset)], io.EOF
	}
	for n < len(b) {
		from := int((offset + int64(n)) % BlockBytes)
		part := b[n:min(len(b), n+BlockBytes-from)]
		if block := c.blocks[(offset+int64(n))/BlockBytes]; block != nil {
			copy(part, block[from:])
		} else {
			clear(part)
		}
		n += len(part)
	}
	return n, err
}

func (c *content) resize(size int64) {
	if size >= c.size {
		c.own(blocksOf(size))
		c.size = size
		return
	}
	c.own(0)
	clear(c.blocks[blocksOf(size):])
	c.size, c.blocks = size, c.blocks[:blocksOf(size)]
	if end := size % BlockBytes; end > 0 {
		last := &c.blocks[len(c.blocks)-1]
		*last = (*last).with(int(end), make([]byte, BlockBytes-end))
	}
}

// flip changes one bit, if the content is that long.
func (c *content) flip(bit int64) {
	at := bit / 8
	if at >= c.size {
		return
	}
	c.own(0)
	b := &c.blocks[at/BlockBytes]
	from := int(at % BlockBytes)
	*b = (*b).with(from, []byte{(*b).slice(from, from+1)[0] ^ 1<<(bit%8)})
}

// with returns the block with part from an offset on.
func (b *block) with(from int, part []byte) *block {
	if b == nil || len(part) == BlockBytes {
		var zeros block // on the stack: zero-filled log files cost no memory
		if bytes.Equal(part, zeros[:len(part)]) {
			return nil
		}
	}
	after := new(block)
	if b != nil && len(part) < BlockBytes {
		*after = *b
	}
	copy(after[from:], part)
	return after
}

// slice returns some bytes of the block.
func (b *block) slice(from, to int) []byte {
	if b == nil {
		b = new(block)
	}
	return b[from:to]
}

// dataChange is a write within one block, or a change of the size.
type dataChange struct {
	resize bool
	size   int64 // resize: the new size

	index         int // of the block in the file
	from, to      int // the bytes of it that are written
	before, after *block
}

// end is the size the file must have after a write.
func (d dataChange) end() int64 { return int64(d.index)*BlockBytes + int64(d.to) }

// part is the write of fewer of the bytes.
func (d dataChange) part(from, to int) dataChange {
	d.from, d.to = from, to
	d.before = d.after // after is what this makes of itself only, and of nothing else
	return d
}

func (c *content) apply(d dataChange) {
	if d.resize {
		c.resize(d.size)
		return
	}
	if d.from == d.to {
		return
	}
	c.own(d.index + 1)
	c.size = max(c.size, d.end())
	switch now := c.blocks[d.index]; {
	case now == d.before || d.to-d.from == BlockBytes:
		c.blocks[d.index] = d.after
	default:
		c.blocks[d.index] = now.with(d.from, d.after.slice(d.from, d.to))
	}
}

// write changes the content and appends the changes, one for each block, to changes.
func (c *content) write(b []byte, offset int64, changes []dataChange) []dataChange {
	changes = slices.Grow(changes, blocksOf(int64(len(b)))+1)
	for len(b) > 0 {
		d := dataChange{index: int(offset / BlockBytes), from: int(offset % BlockBytes)}
		n := min(len(b), BlockBytes-d.from)
		d.to = d.from + n
		if d.index < len(c.blocks) {
			d.before = c.blocks[d.index]
		}
		d.after = d.before.with(d.from, b[:n])
		c.apply(d)
		changes = append(changes, d)
		b, offset = b[n:], offset+int64(n)
	}
	return changes
}
