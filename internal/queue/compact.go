package queue

import (
	"math/bits"

	"github.com/warrenmq/warren/internal/message"
)

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

// compact copies small messages of a page side by side, but for those that are a good part of the
// chunk they lie in, and returns the size of what it copied.
func (p *page) compact() (size int) {
	lonely := p.lonely()
	for left := lonely; left != 0; left &= left - 1 {
		size += p.slots[bits.TrailingZeros64(left)].message.Size()
	}
	b := make([]byte, 0, size)
	for left := lonely; left != 0; left &= left - 1 {
		b = p.slots[bits.TrailingZeros64(left)].message.MoveTo(b)
	}
	return size
}

// lonely returns which messages of a page, bit i for slot i, lie in chunks with little else of the
// page.
func (p *page) lonely() (lonely uint64) {
	for i := 0; i < pageSlots; {
		m := &p.slots[i].message
		end, size := i+1, m.Size()
		for end < pageSlots && m.Beside(&p.slots[end].message) {
			size += p.slots[end].message.Size()
			end++
		}
		reused := m.Beside(m) // else it is not known who is beside it
		if m.Shared() && (size < message.CrowdMin || !reused) {
			lonely |= 1<<end - 1<<i
		}
		i = end
	}
	return lonely
}
