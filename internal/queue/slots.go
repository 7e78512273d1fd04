package queue

import (
	"math/bits"
	"slices"

	"github.com/warrenmq/warren/internal/message"
)

// pageSlots is the number of messages on one page of slots. A page lives as long as one of
// its messages does, so one forgotten message costs at most a page.
const pageSlots = 64

// folderPages is the number of pages in a folder, folderSlots that of its messages.
const (
	folderPages = 64
	folderSlots = folderPages * pageSlots
)

// sparesMax bounds the free pages a queue keeps for its next messages: 1,024 messages.
const sparesMax = 16

type slotState uint8

const (
	slotFree slotState = iota
	slotReady
	slotUnacked
	// slotDead and more: it is dead, the rest is the Reason.
	slotDead
)

// slot is one message in the queue.
type slot struct {
	message message.Message
	holder  *Consumer // of an unacknowledged message
	state   slotState
	// redelivered: it was delivered before.
	redelivered bool
	// late: the cursor had passed its number before it came.
	late bool
	// spilled: it is not logged, and the store has it nevertheless.
	spilled bool
	// deliveries is how often it has returned.
	deliveries uint32
}

// heldBy reports whether the message is unacknowledged, with that consumer; nil: with whomever.
func (s *slot) heldBy(c *Consumer) bool {
	return s.state == slotUnacked && (c == nil || c == s.holder)
}

// stored reports whether the store has the message.
func (s *slot) stored() bool { return s.message.ID != 0 || s.spilled }

type page struct {
	used  uint64 // bit i: slot i is not free
	timed uint64 // bit i: the message there has a deadline
	// With the word that the runtime puts before, this lets each slot be one cache line.
	_     [40]byte
	slots [pageSlots]slot
	// deadlines are when the messages expire, in ms since 1970. They take room that a page would
	// have anyway: the runtime has no memory of its size without them.
	deadlines [pageSlots]int64
}

// folder holds the pages of folderSlots numbers in a row.
type folder struct {
	number uint64 // of the first message, divided by folderSlots
	used   uint64 // bit i: page i is there
	pages  [folderPages]*page
}

// slots holds messages by number. Memory is held for pages with at least one message, plus a
// folder for each 4,096 numbers in a row that have a page: nothing for numbers without one,
// however many lie between two messages.
type slots struct {
	folders []*folder // in order; only the last may be empty
	hint    *folder   // the one looked into last
	spare   *folder   // a free one

	// spares are free pages, at most wanted of them. A queue begins with none and wants one
	// more each time it misses a page after it has let one go: one through which batches
	// pass soon keeps what a batch takes, and one that was long for once keeps nothing.
	spares []*page
	wanted int
	letGo  bool // a page went to the garbage since one was missed
}

// search returns the index of the first folder whose number is at least number.
func (s *slots) search(number uint64) int {
	low, high := 0, len(s.folders)
	for low < high {
		middle := int(uint(low+high) / 2)
		if s.folders[middle].number < number {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// folderOf returns the folder that holds seq, or nil when there is none.
func (s *slots) folderOf(seq uint64) *folder {
	number := seq / folderSlots
	if s.hint != nil && s.hint.number == number {
		return s.hint
	}
	i := s.search(number)
	if i == len(s.folders) || s.folders[i].number != number {
		return nil
	}
	s.hint = s.folders[i]
	return s.hint
}

// pageOf returns the page that holds seq, or nil when there is none.
func (s *slots) pageOf(seq uint64) *page {
	f := s.folderOf(seq)
	if f == nil {
		return nil
	}
	return f.pages[seq/pageSlots%folderPages]
}

// at returns the slot of seq, or nil when there is no message.
func (s *slots) at(seq uint64) *slot {
	p := s.pageOf(seq)
	if p == nil || p.slots[seq%pageSlots].state == slotFree {
		return nil
	}
	return &p.slots[seq%pageSlots]
}

// add makes the slot of seq, which is free; the caller gives it a state.
func (s *slots) add(seq uint64) *slot {
	f := s.folderOf(seq)
	if f == nil {
		f = s.newFolder(seq / folderSlots)
	}
	i := seq / pageSlots % folderPages
	if f.pages[i] == nil {
		f.pages[i] = s.newPage()
		f.used |= 1 << i
	}
	p := f.pages[i]
	p.used |= 1 << (seq % pageSlots)
	return &p.slots[seq%pageSlots]
}

func (s *slots) newFolder(number uint64) *folder {
	at := s.search(number)
	if last := len(s.folders) - 1; at == last+1 && last >= 0 && s.folders[last].used == 0 {
		s.folders[last].number = number
		s.hint = s.folders[last]
		return s.hint
	}
	f := s.spare
	if s.spare = nil; f == nil {
		f = new(folder)
	}
	f.number = number
	s.folders = slices.Insert(s.folders, at, f)
	s.hint = f
	return f
}

func (s *slots) newPage() *page {
	if n := len(s.spares); n > 0 {
		p := s.spares[n-1]
		s.spares[n-1] = nil
		s.spares = s.spares[:n-1]
		return p
	}
	if s.letGo {
		s.letGo = false
		s.wanted = min(s.wanted+1, sparesMax)
	}
	return new(page)
}

func (s *slots) freePage(p *page) {
	if len(s.spares) < s.wanted {
		s.spares = append(s.spares, p)
		return
	}
	s.letGo = true
}

// remove frees the slot of seq, which holds a message.
func (s *slots) remove(seq uint64) {
	f := s.folderOf(seq)
	i := seq / pageSlots % folderPages
	p := f.pages[i]
	p.slots[seq%pageSlots] = slot{}
	p.timed &^= 1 << (seq % pageSlots)
	if p.used &^= 1 << (seq % pageSlots); p.used != 0 {
		return
	}
	s.freePage(p)
	f.pages[i] = nil
	if f.used &^= 1 << i; f.used == 0 {
		s.freeFolder(f)
	}
}

// freeFolder lets an empty folder go, unless it is the last: that one takes the next numbers.
func (s *slots) freeFolder(f *folder) {
	if n := len(s.folders); s.folders[n-1] != f {
		at := s.search(f.number)
		s.folders = slices.Delete(s.folders, at, at+1)
		s.spare = f
		if s.hint == f {
			s.hint = nil
		}
	}
	if len(s.folders) == 1 && cap(s.folders) > foldersKept {
		s.folders = append([]*folder(nil), s.folders...)
	}
}

// foldersKept is the room that is kept for folders once the queue has become short.
const foldersKept = 64

// empty reports whether there is no message.
func (s *slots) empty() bool {
	return len(s.folders) == 0 || len(s.folders) == 1 && s.folders[0].used == 0
}

// next returns the first number from seq on that has a message.
func (s *slots) next(seq uint64) (uint64, bool) {
	for i := s.search(seq / folderSlots); i < len(s.folders); i++ {
		f := s.folders[i]
		base := f.number * folderSlots
		from := max(seq, base)
		for pages := f.used &^ (1<<((from-base)/pageSlots) - 1); pages != 0; pages &= pages - 1 {
			n := uint64(bits.TrailingZeros64(pages))
			first := base + n*pageSlots
			used := f.pages[n].used
			if from > first {
				used &^= 1<<(from-first) - 1
			}
			if used != 0 {
				return first + uint64(bits.TrailingZeros64(used)), true
			}
		}
	}
	return 0, false
}

// previous returns the last number up to seq that has a message.
func (s *slots) previous(seq uint64) (uint64, bool) {
	i := s.search(seq / folderSlots)
	if i == len(s.folders) || s.folders[i].number > seq/folderSlots {
		i--
	}
	for ; i >= 0; i-- {
		f := s.folders[i]
		base := f.number * folderSlots
		upTo := min(seq, base+folderSlots-1)
		pages := f.used & (2<<((upTo-base)/pageSlots) - 1)
		for pages != 0 {
			n := uint64(bits.Len64(pages)) - 1
			first := base + n*pageSlots
			used := f.pages[n].used
			if upTo-first < pageSlots {
				used &= 2<<(upTo-first) - 1
			}
			if used != 0 {
				return first + uint64(bits.Len64(used)) - 1, true
			}
			pages &^= 1 << n
		}
	}
	return 0, false
}
