package queue

import "github.com/warrenmq/warren/internal/message"

// pageSlots is the number of messages on one page of slots. A page lives as long as one of
// its messages does, so one forgotten message costs at most a page.
const pageSlots = 64

// sparesMax bounds the free pages a queue keeps for its next messages: 1,024 messages.
const sparesMax = 16

type slotState uint8

const (
	slotFree slotState = iota
	slotReady
	slotUnacked
)

// indexKept is the number of entries for which an index that has become empty keeps its room.
// It is small against what went through an index that has grown larger.
const indexKept = 2048

// slot is one message in the queue.
type slot struct {
	message     message.Message
	holder      *Consumer // of an unacknowledged message
	state       slotState
	redelivered bool
}

type page struct {
	used  int // slots not free
	slots [pageSlots]slot
}

// slots holds messages by sequence number. Sequence numbers only grow; memory is held for
// pages with at least one message, plus one pointer for each page between the oldest and the
// newest of them.
type slots struct {
	// pages[head+i] holds sequence numbers (first+i)*pageSlots and on; nil: no message there.
	pages []*page
	head  int
	first uint64

	// spares are free pages, at most wanted of them. A queue begins with none and wants one
	// more each time it misses a page after it has let one go: one through which batches
	// pass soon keeps what a batch takes, and one that was long for once keeps nothing.
	spares []*page
	wanted int
	letGo  bool // a page went to the garbage since one was missed
}

// pageOf returns the page that holds seq, or nil when there is none.
func (s *slots) pageOf(seq uint64) *page {
	number := seq / pageSlots
	if number < s.first || number-s.first >= uint64(len(s.pages)-s.head) {
		return nil
	}
	return s.pages[s.head+int(number-s.first)]
}

// at returns the slot of seq, or nil when there is no message.
func (s *slots) at(seq uint64) *slot {
	p := s.pageOf(seq)
	if p == nil || p.slots[seq%pageSlots].state == slotFree {
		return nil
	}
	return &p.slots[seq%pageSlots]
}

// add makes the slot of seq, which is greater than every sequence number before.
func (s *slots) add(seq uint64) *slot {
	number := seq / pageSlots
	if len(s.pages) == 0 {
		s.first = number
	}
	for number-s.first >= uint64(len(s.pages)-s.head) {
		s.push(nil)
	}
	at := &s.pages[s.head+int(number-s.first)]
	if *at == nil {
		*at = s.newPage()
	}
	(*at).used++
	return &(*at).slots[seq%pageSlots]
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

// push appends a page, moving the live ones to the front of their array when at least half of
// it has been left behind: the cost per page stays constant and nothing is allocated as long
// as the queue does not grow.
func (s *slots) push(p *page) {
	if len(s.pages) == cap(s.pages) && s.head > len(s.pages)/2 {
		n := copy(s.pages, s.pages[s.head:])
		clear(s.pages[n:])
		s.pages, s.head = s.pages[:n], 0
	}
	s.pages = append(s.pages, p)
}

// remove frees the slot of seq, which holds a message.
func (s *slots) remove(seq uint64) {
	p := s.pageOf(seq)
	p.slots[seq%pageSlots] = slot{}
	if p.used--; p.used > 0 {
		return
	}
	s.freePage(p)
	s.pages[s.head+int(seq/pageSlots-s.first)] = nil
	for s.head < len(s.pages) && s.pages[s.head] == nil {
		s.head++
		s.first++
	}
	if s.head == len(s.pages) {
		s.pages, s.head = s.pages[:0], 0
		if cap(s.pages) > indexKept {
			s.pages = nil
		}
	}
}
