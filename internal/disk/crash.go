package disk

import (
	"math/rand/v2"
	"slices"
)

// sectorBytes is what a device writes at once: a torn block is a mixture of such units.
const sectorBytes = 512

// mood says what becomes of the unsynced changes of one file or directory. Pure randomness would
// almost never produce the two outcomes seen most in practice: all is there, and nothing is.
type mood int

const (
	moodKeepAll mood = iota // the process died, the machine did not
	moodDropAll             // nothing was written back in time
	moodPrefix              // written back in order, up to some instant
	moodRandom              // each block and each name for itself
	moods
)

// Crash returns the file system as it might look after a power loss now, chosen by seed: what
// was synced is there; of the rest, each block of 4 KiB is kept, dropped or torn, a file may have
// grown though its new blocks were dropped (they read as zeros), and each operation on a name was
// done or not. The same state and seed give the same result. No file is open in it, no lock is
// held, all that is left counts as synced. The receiver is not changed and can go on.
func (m *Memory) Crash(seed uint64) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &crash{
		random: rand.New(rand.NewPCG(seed, 0x6372617368)),
		nodes:  make(map[*node]*node),
	}
	after := NewMemory()
	after.root = c.dir(m.root)
	after.capacity, after.used = m.capacity, after.root.sizes()
	return after
}

// Clone returns the file system as the next process finds it when this one is killed and the
// machine is not: everything written is there, what was not synced still is not, no file is
// open and no lock held. The receiver is not changed and can go on.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	after := NewMemory()
	after.root = m.root.clone(make(map[*node]*node))
	after.capacity, after.used = m.capacity, m.used
	return after
}

func (n *node) clone(done map[*node]*node) *node {
	if n == nil {
		return nil
	}
	if c := done[n]; c != nil {
		return c
	}
	c := &node{data: slices.Clone(n.data), safeData: slices.Clone(n.safeData)}
	c.changes = slices.Clone(n.changes) // their bytes are never written to
	done[n] = c
	if !n.isDir() {
		return c
	}
	c.entries, c.safe = make(map[string]*node), make(map[string]*node)
	for name, child := range n.entries {
		c.entries[name] = child.clone(done)
	}
	for name, child := range n.safe {
		c.safe[name] = child.clone(done)
	}
	for _, r := range n.renames {
		c.renames = append(c.renames, entryChange{from: r.from, to: r.to, node: r.node.clone(done)})
	}
	return c
}

// crash makes one state after a power loss.
type crash struct {
	random *rand.Rand
	nodes  map[*node]*node // made so far: a file may be left with two names
}

func (c *crash) mood() mood { return mood(c.random.IntN(int(moods))) }

func (c *crash) dir(n *node) *node {
	left := make(map[string]*node, len(n.safe))
	for name, child := range n.safe {
		left[name] = child
	}
	for _, change := range c.keep(n.renames) {
		change.apply(left)
	}
	after := newDir()
	for _, name := range sortedNames(left) { // sorted: the same seed must give the same state
		child := c.node(left[name])
		after.entries[name], after.safe[name] = child, child
	}
	return after
}

func (c *crash) node(n *node) *node {
	if done := c.nodes[n]; done != nil {
		return done
	}
	var after *node
	if n.isDir() {
		after = c.dir(n)
	} else {
		data := c.file(n)
		after = &node{data: data, safeData: slices.Clone(data)}
	}
	c.nodes[n] = after
	return after
}

func (c *crash) keep(changes []entryChange) []entryChange {
	switch c.mood() {
	case moodKeepAll:
		return changes
	case moodDropAll:
		return nil
	case moodPrefix:
		return changes[:c.random.IntN(len(changes)+1)]
	default:
		var kept []entryChange
		for _, change := range changes {
			if c.random.IntN(2) == 0 {
				kept = append(kept, change)
			}
		}
		return kept
	}
}

func (c *crash) file(n *node) []byte {
	data := slices.Clone(n.safeData)
	blocks := splitBlocks(n.changes)
	switch c.mood() {
	case moodKeepAll:
		for _, b := range blocks {
			data = b.apply(data)
		}
	case moodDropAll:
	case moodPrefix:
		end := c.random.IntN(len(blocks) + 1)
		for _, b := range blocks[:end] {
			data = b.apply(data)
		}
		if end < len(blocks) {
			data = c.tear(data, blocks[end])
		}
	default:
		for _, b := range blocks {
			data = c.maybe(data, b)
		}
	}
	return data
}

// splitBlocks cuts the writes at the boundaries of blocks; the order stays.
func splitBlocks(changes []dataChange) []dataChange {
	var blocks []dataChange
	for _, c := range changes {
		for int64(len(c.data)) > BlockBytes-c.offset%BlockBytes {
			n := BlockBytes - c.offset%BlockBytes
			blocks = append(blocks, dataChange{offset: c.offset, data: c.data[:n]})
			c.offset, c.data = c.offset+n, c.data[n:]
		}
		blocks = append(blocks, c)
	}
	return blocks
}

// maybe keeps, drops or tears one block.
func (c *crash) maybe(data []byte, b dataChange) []byte {
	switch c.random.IntN(5) {
	case 0, 1:
		return b.apply(data)
	case 2:
		return c.tear(data, b)
	case 3: // the new size reached the disk, the bytes did not
		if end := b.offset + int64(len(b.data)); end > int64(len(data)) {
			return resize(data, end)
		}
		return data
	default:
		return data
	}
}

// tear writes a part of the block: its first bytes, or some of its sectors. A change of size is
// done or not.
func (c *crash) tear(data []byte, b dataChange) []byte {
	if b.data == nil {
		return data
	}
	if c.random.IntN(2) == 0 {
		return writeBytes(data, b.offset, b.data[:c.random.IntN(len(b.data)+1)])
	}
	for len(b.data) > 0 {
		n := min(int64(len(b.data)), sectorBytes-b.offset%sectorBytes)
		if c.random.IntN(2) == 0 {
			data = writeBytes(data, b.offset, b.data[:n])
		}
		b.offset, b.data = b.offset+n, b.data[n:]
	}
	return data
}
