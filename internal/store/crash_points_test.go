package store

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/warrenmq/warren/internal/disk"
)

const (
	// forkDepthMax: a crash, then a crash of what was recovered, then one of that.
	forkDepthMax = 3
	// crashesMany are taken of one boundary, in different ways, while its name was seldom seen.
	crashesMany = 4
	// crashesRare are taken of names that have less than one part in rareShare of the average:
	// some are met once in forty histories.
	crashesRare = 128
	rareShare   = 8
)

// campaign is what a number of histories have in common.
type campaign struct {
	each    int            // crash points of each boundary that each history is to add
	lose    *regexp.Regexp // syncs that do nothing, by the name of their boundary; nil: none
	without measure
	faults  bool       // the disk fails now and then
	flips   int        // bits flipped after each end of a history
	cuts    bool       // cuts are made, read and opened
	t       testing.TB // with cuts

	mu     sync.Mutex
	points map[string]int // crash points checked, by boundary
	sum    int            // of points
	want   int            // points of each boundary so far: those with fewer are preferred
	bits   int            // flipped
	fails  map[string]int // errors of the disk, by boundary
	copied int            // cuts opened
	behind int            // of which the store had let go of files meanwhile
	done   Stats
}

func newCampaign(each int) *campaign {
	return &campaign{each: each, points: make(map[string]int), fails: make(map[string]int)}
}

// wanted says whether there are too few points of a name, and whether there are very few, or it is
// late for too few.
func (c *campaign) wanted(name string) (rare, rarest bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.points[name]
	late := c.want == crashEachFull
	return n < c.want, n < c.want && (late || n*rareShare*len(c.points) < c.sum)
}

func (c *campaign) crashed(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.points[name]++
	c.sum++
}

// begin begins a history. Of what there is enough for a full run it need not bring more: that is
// left to chance, and the time goes to boundaries that are rare.
func (c *campaign) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.want = min(c.want+c.each, crashEachFull)
}

// rarest returns how many points the rarest name has, and the sum of all.
func (c *campaign) rarest() (least, sum int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	least = 1 << 60
	for _, n := range c.points {
		least, sum = min(least, n), sum+n
	}
	return least, sum
}

// whereabouts says where in its history a world is, so that one crash of it can be found again.
// What a crash leaves follows from the path alone, not from which others are taken.
type whereabouts struct {
	seed     uint64
	path     []branch // forks on the way
	repeat   []branch // the only path to follow; nil: all
	boundary int      // counts those of this life
	sample   *rand.Rand
	killed   bool // the process died, not the machine; what it wrote may still be lost

	sequence string // of calls that belong together
	newFile  string // being made
	headers  map[string]bool
}

// branch is a crash of a boundary, or a bit flipped behind it.
type branch struct{ boundary, way int }

func (w *world) depth() int { return len(w.place.path) }

// pathName is like "7/812.0/3.1": seed, then number of the boundary and way of the crash.
func (p *whereabouts) pathName() string {
	text := fmt.Sprint(p.seed)
	for _, b := range p.path {
		text += fmt.Sprintf("/%d.%d", b.boundary, b.way)
	}
	return text
}

func parsePath(text string) (seed uint64, path []branch, err error) {
	for i, part := range strings.Split(text, "/") {
		var b branch
		if i == 0 {
			_, err = fmt.Sscan(part, &seed)
		} else if _, err = fmt.Sscanf(part, "%d.%d", &b.boundary, &b.way); err == nil {
			path = append(path, b)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return seed, path, nil
}

func (p *whereabouts) random(stream uint64) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, p.pathName())
	return rand.New(rand.NewPCG(h.Sum64(), stream))
}

// fs is the file system given to the store: it checks crashes at every boundary of its calls.
func (w *world) fs() disk.FS {
	return disk.Faulty(w.mem, func(c disk.Call) disk.Fault {
		switch c.Op {
		case disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpTruncate, disk.OpRename,
			disk.OpRemove, disk.OpSyncDir:
		default:
			return disk.Fault{}
		}
		name := w.boundaryName(c)
		w.boundary(name, c)
		w.meanwhile()
		if w.lose != nil && w.lose.MatchString(name) {
			return disk.Fault{Lost: true}
		}
		return w.fault(name, c)
	})
}

// boundary checks what a power loss, or the end of the process, just before the call would leave.
func (w *world) boundary(name string, c disk.Call) {
	w.place.boundary++
	if w.err != nil {
		return
	}
	for way := range w.crashes(name) {
		b := branch{w.place.boundary, way}
		if !w.follows(b) {
			continue
		}
		w.crashed(name)
		f := w.fork(b)
		f.place.killed = f.chance(4) && w.broken == ""
		if f.place.killed {
			f.mem = w.mem.Clone()
		} else {
			f.mem = w.mem.Crash(f.random.Uint64())
		}
		f.mem.SetCapacity(0)
		if err := f.life(); err != nil {
			w.err = fmt.Errorf("crash %s before %s (%s): %w", f.place.pathName(), name,
				filepath.Base(c.Name), err)
			return
		}
	}
}

// follows says whether a fork is on the path to be repeated, if there is one.
func (w *world) follows(b branch) bool {
	r := w.place.repeat
	return r == nil || len(r) > w.depth() && r[w.depth()] == b
}

// crashes is how many ways to crash are tried at a boundary: most where the name is rare.
func (w *world) crashes(name string) int {
	rare, rarest := w.wanted(name)
	depth := w.depth()
	switch {
	case depth >= forkDepthMax:
		return 0
	case w.place.repeat != nil, rarest && depth == 0:
		return crashesRare
	case rare && depth == 0, rarest:
		return crashesMany
	case rare:
		return 1
	case depth > 0 && w.place.killed && w.place.sample.IntN(8<<depth) == 0:
		return 1
	case w.place.sample.IntN(10<<(2*depth)) == 0:
		return 1
	}
	return 0
}

// fork is a world of its own that goes on from a state of this one's disk.
func (w *world) fork(b branch) *world {
	f := *w
	f.place.path = append(slices.Clone(w.place.path), b)
	f.place.boundary, f.place.sequence, f.place.newFile = 0, "", ""
	f.place.sample, f.place.headers = f.place.random(2), make(map[string]bool)
	f.random = f.place.random(1)
	f.store, f.reader, f.untold, f.broken, f.full = nil, nil, 0, "", false
	f.queues, f.ops = slices.Clone(w.queues), slices.Clone(w.ops)
	f.defined = slices.Clone(w.defined)
	f.base, f.definedBase = maps.Clone(w.base), maps.Clone(w.definedBase)
	f.spilled, f.cut = make(state), nil
	return &f
}

// life of a fork: recover, write a little, close, recover, all of it checked.
func (w *world) life() error {
	if err := w.start(); err != nil {
		return err
	}
	if err := w.run(3); err != nil {
		return err
	}
	return w.reopen()
}

// boundaryName says what is being done to what, as "segment: sync segment". What is one piece of
// code has one name, whatever it is done for.
func (w *world) boundaryName(c disk.Call) string {
	p, what := &w.place, filepath.Base(c.Name)
	doing := w.doing
	if w.store != nil {
		doing = cmp.Or(w.store.keeper.doing, doing)
	}
	if r, _, ok := parseFileName(what); ok {
		what = []string{"log file", "segment", "spill file"}[r]
	}
	fresh := strings.HasSuffix(what, newSuffix)
	switch {
	case c.Op == disk.OpTruncate && doing != "start":
		doing, what = "no room", "journal"
	case c.Op == disk.OpSyncDir:
		name := cmp.Or(p.sequence, "start") + ": syncdir"
		p.sequence, p.newFile = "", ""
		return name
	case c.Op == disk.OpRemove:
		if doing != "start" {
			doing = "remove"
			if fresh {
				what = "new journal"
			}
		}
		if p.sequence = ""; what == "log file" {
			p.sequence = "remove log file"
		}
	case fresh:
		doing = "rewrite"
		p.sequence = "rewrite " + strings.TrimSuffix(what, newSuffix)
	case what == "segment":
		doing, p.sequence = "segment", "segment"
	case what == "log file" && (doing == "prepare" || doing == "recycle"):
		p.sequence = doing
	case what == "log file" && (c.Op == disk.OpCreate || c.Name == p.newFile):
		doing, p.sequence, p.newFile = "new log", "new log", c.Name
	case what == "log file" && doing != "start":
		doing = w.committing()
	}
	if what == "log file" && c.Op == disk.OpWrite {
		p.headers[c.Name] = c.Offset == 0 && c.Length == disk.BlockBytes
	}
	if p.headers[c.Name] && (c.Op == disk.OpWrite || c.Op == disk.OpSync) {
		what = "header of log file"
	}
	return fmt.Sprintf("%s: %v %s", doing, c.Op, what)
}

// committing names a group after the rarest thing in it.
func (w *world) committing() string {
	names := []string{"end log", "commit of publish", "commit of settle", "commit of truncate",
		"commit of delete"}
	rank := 0
	for i := len(w.ops) - 1; i >= w.known && w.ops[i].lsn > w.store.synced; i-- {
		switch o := &w.ops[i]; {
		case o.lsn > w.store.synced+1:
		case o.deleted:
			rank = max(rank, 4)
		case o.from > 0:
			rank = max(rank, 3)
		case o.put == nil:
			rank = max(rank, 2)
		default:
			rank = max(rank, 1)
		}
	}
	return names[rank]
}

// meanwhile does what other goroutines may do while one waits for the disk.
func (w *world) meanwhile() {
	if w.depth() > 0 || w.store == nil || w.store.phase != started || w.doing == "spill" ||
		w.doing == "load" {
		return
	}
	for w.err == nil && !w.chance(3) {
		if w.random.IntN(w.mood.publish+w.mood.settle) < w.mood.publish {
			w.publish()
		} else {
			w.settle()
		}
	}
}
