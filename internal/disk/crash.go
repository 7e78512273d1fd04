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
	after.capacity = m.capacity
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
	after.capacity = m.capacity
	return after
}

func (n *node) clone(done map[*node]*node) *node {
	if n == nil {
		return nil
	}
	if c := done[n]; c != nil {
		return c
	}
	c := &node{data: n.data.share(), safeData: n.safeData.share(),
		changes: slices.Clip(n.changes), doubtful: n.doubtful} // changes are only appended to
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
		after = &node{data: data.share(), safeData: data.share()}
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

// file draws what is left of a file. Each write of a block is drawn for itself, so that of two
// writes to one block the later can be there without the earlier.
func (c *crash) file(n *node) content {
	mood := c.mood()
	if mood == moodKeepAll && !n.doubtful {
		return n.data.share()
	}
	data := n.safeData.share()
	switch mood {
	case moodKeepAll:
		for _, d := range n.changes {
			data.apply(d)
		}
	case moodDropAll:
	case moodPrefix:
		end := c.random.IntN(len(n.changes) + 1)
		for _, d := range n.changes[:end] {
			data.apply(d)
		}
		if end < len(n.changes) {
			c.tear(&data, n.changes[end])
		}
	default:
		for _, d := range n.changes {
			c.maybe(&data, d)
		}
	}
	return data
}

// maybe keeps, drops or tears one block.
func (c *crash) maybe(data *content, d dataChange) {
	switch c.random.IntN(5) {
	case 0, 1:
		data.apply(d)
	case 2:
		c.tear(data, d)
	case 3: // the new size reached the disk, the bytes did not
		if !d.resize && d.end() > data.size {
			data.resize(d.end())
		}
	}
}

// tear writes a part of the block: its first bytes, or some of its sectors. A change of size is
// left out.
func (c *crash) tear(data *content, d dataChange) {
	if d.resize {
		return
	}
	if c.random.IntN(2) == 0 {
		data.apply(d.part(d.from, d.from+c.random.IntN(d.to-d.from+1)))
		return
	}
	sectors := c.random.Uint32() // one bit for each, kept in runs: a run is one copy
	kept := func(at int) bool { return sectors>>(at/sectorBytes)&1 == 1 }
	for from := d.from; from < d.to; {
		to := from
		for to < d.to && kept(to) == kept(from) {
			to = min(d.to, to-to%sectorBytes+sectorBytes)
		}
		if kept(from) {
			data.apply(d.part(from, to))
		}
		from = to
	}
}
