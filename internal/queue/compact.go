package queue

const (
	// compactBacklog is the number of ready messages above which a queue copies its older
	// messages: a short queue never does.
	compactBacklog = 1024
	// compactMax is the number of pages that one Apply copies, compactBytesMax the bytes after
	// which it stops.
	compactMax      = 64
	compactBytesMax = 1 << 20
)

// compact gives the messages of each page that lies compactBacklog behind the tail memory of
// their own: those that stay long do not keep the chunks alive that they share with others.
func (q *Queue) compact() {
	if q.ready <= compactBacklog || q.newest < q.compacted+compactBacklog+pageSlots {
		return
	}
	end := (q.newest - compactBacklog) / pageSlots * pageSlots
	bytes := 0
	for range compactMax {
		seq, found := q.slots.next(q.compacted)
		if !found || seq >= end {
			q.compacted = end
			return
		}
		bytes += q.slots.pageOf(seq).compact()
		q.compacted = (seq/pageSlots + 1) * pageSlots
		if bytes >= compactBytesMax {
			return
		}
	}
}

// compact copies the small messages of a page side by side and returns their size.
func (p *page) compact() (size int) {
	for i := range p.slots {
		if m := &p.slots[i].message; m.Shared() {
			size += m.Size()
		}
	}
	b := make([]byte, 0, size)
	for i := range p.slots {
		if m := &p.slots[i].message; m.Shared() {
			b = m.MoveTo(b)
		}
	}
	return size
}
