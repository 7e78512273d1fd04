package amqp091

import "slices"

// lapsedMax is how many runs of tags are remembered of deliveries that were taken back. When there
// are more, those next to each other become one: an acknowledgement of a tag between them is
// ignored where it should be refused.
const lapsedMax = 64

// lapsed is a set of tags, in runs that rise.
type lapsed []tagRun

type tagRun struct{ first, last uint64 }

// add adds a tag.
func (l *lapsed) add(tag uint64) {
	i, _ := slices.BinarySearchFunc(*l, tag, func(r tagRun, tag uint64) int {
		switch {
		case r.last < tag:
			return -1
		case r.first > tag:
			return 1
		}
		return 0
	})
	runs := *l
	switch {
	case i < len(runs) && runs[i].first <= tag:
		return
	case i > 0 && runs[i-1].last+1 == tag:
		runs[i-1].last = tag
		if i < len(runs) && runs[i].first == tag+1 {
			runs[i-1].last = runs[i].last
			runs = slices.Delete(runs, i, i+1)
		}
	case i < len(runs) && runs[i].first == tag+1:
		runs[i].first = tag
	default:
		runs = slices.Insert(runs, i, tagRun{tag, tag})
	}
	if len(runs) > lapsedMax {
		runs = runs.join()
	}
	*l = runs
}

// join makes one of the two runs that are closest to each other.
func (l lapsed) join() lapsed {
	closest := 1
	for i := 2; i < len(l); i++ {
		if l[i].first-l[i-1].last < l[closest].first-l[closest-1].last {
			closest = i
		}
	}
	l[closest-1].last = l[closest].last
	return slices.Delete(l, closest, closest+1)
}

func (l lapsed) has(tag uint64) bool {
	for _, r := range l {
		if r.first <= tag && tag <= r.last {
			return true
		}
	}
	return false
}

// lapse takes back what a consumer holds, and returns how many of these were counted.
func (u *unacked) lapse(k *consumer) (counted int64) {
	for i := u.head; i < len(u.list); i++ {
		d := &u.list[i]
		if d.consumer != k {
			continue
		}
		if d.counted {
			counted++
		}
		u.lapsed.add(d.tag)
		d.consumer = nil
		u.dead++
	}
	u.trim()
	return counted
}
