package store

import (
	"math/rand/v2"

	"github.com/warrenmq/warren/internal/disk"
)

// mood is the character of a history: how many queues there are and how often what is done to
// them. Each path of the store is frequent in one of them.
type mood struct {
	name   string
	queues int
	sizes  []int // of messages; each has a random part of one of them
	purge  int   // one settlement in so many takes the whole queue
	slow   int   // of the first queue, one settlement in so many is made: it keeps old messages

	lazy int // of the steps of the keeper one in so many is made, but then some at once; 0: all
	// How often these steps are made, relative to each other.
	publish, settle, remove, truncate, define, spill, load, log, keep, restart int
	// fill is how much more often than in others the disk becomes full, narrow how often what it
	// has left then is halved.
	fill   int
	narrow uint
}

// choresMax are done at once: while they are, there may be more and more to do.
const choresMax = 12

// moods, of which each history has one.
func moods() []mood {
	small := []int{0, 1, 20, 200, 700, 3000, 6000}
	return []mood{
		{name: "mixed", queues: 6, sizes: small, purge: 10, slow: 20, publish: 38, settle: 22,
			remove: 2, truncate: 2, define: 3, spill: 2, load: 4, log: 14, keep: 13, restart: 1},
		{name: "backlog", queues: 2, sizes: []int{700, 3000, 6000}, purge: 8, slow: 4, publish: 60,
			settle: 5, remove: 1, truncate: 1, define: 1, spill: 1, load: 2, log: 7, keep: 16,
			restart: 1},
		{name: "churn", queues: 3, sizes: small, purge: 2, slow: 2, publish: 34, settle: 36,
			remove: 2, truncate: 2, define: 1, spill: 4, load: 2, log: 18, keep: 12, restart: 1},
		{name: "starved", queues: 4, sizes: small, purge: 4, slow: 6, publish: 34, settle: 24,
			remove: 1, truncate: 1, define: 2, spill: 1, load: 2, log: 30, keep: 12, restart: 3,
			lazy: 4},
		{name: "crowd", queues: 24, sizes: small, purge: 3, slow: 20, publish: 38, settle: 26,
			remove: 9, truncate: 3, define: 1, spill: 2, load: 3, log: 14, keep: 14, restart: 1},
		{name: "settings", queues: 3, sizes: small, purge: 3, slow: 3, publish: 20, settle: 20,
			remove: 5, truncate: 1, define: 30, spill: 1, load: 1, log: 14, keep: 12, restart: 3},
		{name: "tight", queues: 4, sizes: small, purge: 3, slow: 4, fill: 8, publish: 36,
			settle: 26, remove: 3, truncate: 1, define: 6, spill: 1, load: 1, log: 16,
			keep: 26, restart: 2},
		{name: "cramped", queues: 5, sizes: []int{20, 200, 700, 3000}, purge: 12, slow: 3, fill: 4,
			narrow: 5, publish: 40, settle: 34, remove: 1, truncate: 1, define: 3, spill: 1,
			load: 1, log: 16, keep: 30, restart: 1},
	}
}

func newWorld(c *campaign, seed uint64, repeat []branch) *world {
	all := moods()
	w := &world{
		campaign: c, mood: &all[seed%uint64(len(all))],
		place:  whereabouts{seed: seed, repeat: repeat, headers: make(map[string]bool)},
		random: rand.New(rand.NewPCG(seed, 0x776f726c64)), mem: disk.NewMemory(),
		base: make(state), spilled: make(state), definedBase: make(map[byte]byte),
		published: make(map[uint64]bool),
	}
	w.place.sample = w.place.random(2)
	for range w.mood.queues {
		w.queueNo++
		w.queues = append(w.queues, w.queueNo)
	}
	return w
}

func (w *world) chance(n int) bool { return w.random.IntN(n) == 0 }

// run makes random steps.
func (w *world) run(steps int) error {
	for ; steps > 0 && w.err == nil; steps-- {
		w.step()
		if w.broken != "" {
			w.failed()
		}
	}
	if err := w.store.Err(); err != nil {
		w.fail(err)
	}
	return w.err
}

// step makes one of the steps of the mood.
func (w *world) step() {
	if w.cuts && w.chance(cutEvery) {
		w.cutOn()
		return
	}
	m := w.mood
	steps := []struct {
		weight int
		do     func()
	}{
		{m.publish, w.publish}, {m.settle, w.settle}, {m.remove, w.deleteQueue},
		{m.settle / 4, w.commit},
		{m.truncate, w.truncate}, {m.define, w.define}, {m.spill, w.spill}, {m.load, w.load},
		{2, w.readSlowly}, {2, w.endReader}, {1 + m.fill, w.fillDisk}, {3, w.makeRoom},
		{m.log, w.turn}, {m.keep, w.keep}, {m.restart, w.restart},
	}
	sum := 0
	for _, s := range steps {
		sum += s.weight
	}
	n := w.random.IntN(sum)
	for _, s := range steps {
		if n -= s.weight; n < 0 {
			s.do()
			return
		}
	}
}

func (w *world) turn() {
	w.store.turn()
	if w.chance(8) {
		w.check()
	}
}

// keep does a chore; in some moods seldom, but then all there are.
func (w *world) keep() {
	if w.mood.lazy == 0 {
		w.store.keep()
		return
	}
	if w.chance(w.mood.lazy) {
		for n := choresMax; n > 0 && w.store.keep() && w.broken == "" && w.err == nil; n-- {
		}
	}
}
