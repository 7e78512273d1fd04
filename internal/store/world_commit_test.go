package store

// commit publishes some messages and settles others, of different queues, all or nothing.
func (w *world) commit() {
	var c Commit
	var all op
	type sent struct {
		queues  []*Queue
		numbers []uint64
		message []byte
	}
	var publishes []sent
	for range w.random.IntN(4) {
		if w.chance(5) {
			queues := w.someQueues()
			c.Number(queues, make([]uint64, len(queues)))
		}
		p := sent{queues: w.someQueues(), message: w.message()}
		p.numbers = make([]uint64, len(p.queues))
		cut := w.random.IntN(len(p.message) + 1)
		c.Publish(p.queues, p.numbers, p.message[:cut], p.message[cut:])
		publishes = append(publishes, p)
	}
	// What it publishes itself is not there yet when it decides what to settle.
	var settled []op
	for _, i := range w.random.Perm(len(w.queues))[:w.random.IntN(len(w.queues))] {
		if o := w.settling(w.queues[i]); len(o.ranges) > 0 && o.ranges[0].Last < purgeAll {
			c.Settle(w.store.OpenQueue(o.queue), o.ranges)
			settled = append(settled, o)
		}
	}
	all.lsn = w.store.Commit(&c)
	for _, p := range publishes {
		o := op{put: make(state)}
		w.putting(&o, p.queues, p.numbers, p.message)
		all.all = append(all.all, o)
	}
	for _, o := range settled {
		w.spilled.apply(o)
		all.all = append(all.all, o)
	}
	if all.all != nil && all.lsn != 0 {
		w.did(all)
	}
}
