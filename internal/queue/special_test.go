package queue

import (
	"testing"
	"unsafe"
)

func TestRoomOfDeadlinesCostsNothing(t *testing.T) {
	if got := unsafe.Sizeof(slot{}); got != 64 {
		t.Errorf("a slot has %d bytes, want a cache line", got)
	}
	const class = 4864 // the runtime's, for what has more than 4096 bytes
	if with, without := unsafe.Sizeof(page{}), unsafe.Sizeof([pageSlots]slot{}); with > class ||
		without < 4096 {
		t.Errorf("a page has %d bytes, %d of them slots", with, without)
	}
}

func TestPlainSettingsLeaveAQueuePlain(t *testing.T) {
	var q Queue
	q.Configure(Plain())
	if q.special != nil || q.Settings() != Plain() {
		t.Errorf("it is %+v", q.Settings())
	}
	s := Plain()
	s.MaxLength = 3
	q.Configure(s)
	if q.Settings() != s {
		t.Errorf("got %+v, want %+v", q.Settings(), s)
	}
	q.Apply(0, []Command{{Kind: Delete}}, nil)
	if q.Configure(s); q.special != nil {
		t.Error("a queue that has ended was configured")
	}
}

func TestMaxPriorityIsForEmptyQueues(t *testing.T) {
	var q, later Queue
	s := Plain()
	s.MaxPriority = 255
	q.Configure(s)
	s.MaxPriority = 9
	if q.Configure(s); q.Settings().MaxPriority != 255 {
		t.Errorf("changed to %d", q.Settings().MaxPriority)
	}
	later.Apply(0, enqueueMany(storyMessage(t, "m", 0), 1, 1, false), nil)
	if later.Configure(s); later.Settings().MaxPriority != 0 || later.hasLevels() {
		t.Errorf("a queue with messages has %d priorities", later.Settings().MaxPriority)
	}
}

func TestAtLeastOnceIsForQueuesThatReject(t *testing.T) {
	for overflow, want := range map[Overflow]DeadLetters{
		DropHead: AtMostOnce, RejectPublish: AtLeastOnce, RejectPublishDeadLetter: AtMostOnce,
	} {
		var q Queue
		s := Plain()
		s.Overflow, s.DeadLetters = overflow, AtLeastOnce
		if q.Configure(s); q.Settings().DeadLetters != want {
			t.Errorf("overflow %d: %d, want %d", overflow, q.Settings().DeadLetters, want)
		}
	}
}

// A message of a moment far away, or one that lives for ever so long, does not overflow anything.
func TestTimesDoNotOverflow(t *testing.T) {
	var q Queue
	s := Plain()
	s.MessageTTL, s.Expires, s.ConsumerTimeout = never, never, never
	q.Configure(s)
	c := &Consumer{Timeout: never}
	m := storyMessageWith(t, "m", 0, testProperties("999999999999999999", true, 0, false))
	effects, _ := q.Apply(never-1, []Command{
		{Kind: Enqueue, Message: m}, {Kind: Subscribe, Consumer: c},
	}, nil)
	if count(effects, Deliver) != 1 || count(effects, Wake) > 0 {
		t.Errorf("got %v", effects)
	}
	var e Effect
	for _, at := range []int64{0, 1, 1 << 31, 1 << 32, 1_763_000_000_000, never} {
		if e.setAt(at); e.At() != at {
			t.Errorf("%d came back as %d", at, e.At())
		}
	}
}

// One message is held for ever, while others come and go: what is remembered of them is bounded.
func TestAConsumersHoldingsAreBounded(t *testing.T) {
	var q Queue
	c := &Consumer{Timeout: 1_000_000}
	m := storyMessage(t, "m", 0)
	q.Apply(0, []Command{{Kind: Subscribe, Consumer: c}, {Kind: Enqueue, Message: m}}, nil)
	for i := range int64(100 * holdingsSlack) {
		effects, _ := q.Apply(i, []Command{{Kind: Enqueue, Message: m}}, nil)
		q.Apply(i, []Command{{Kind: Ack, Seq: effects[0].Seq}}, nil)
		if len(c.holdings) > 2*(c.unacked+1)+holdingsSlack {
			t.Fatalf("%d holdings, %d unacknowledged", len(c.holdings), c.unacked)
		}
	}
	checkBooks(t, &q)
	if effects, _ := q.Apply(1_000_000, nil, nil); count(effects, TimedOut) != 1 {
		t.Errorf("the first message is not late: %v", effects)
	}
}

// Consumers of ever new priorities leave no rings behind.
func TestRanksAreForThoseWhoAreThere(t *testing.T) {
	var q Queue
	m := storyMessage(t, "m", 0)
	stays := &Consumer{Priority: 500}
	q.Apply(0, []Command{{Kind: Subscribe, Consumer: stays}}, nil)
	for i := range 1000 {
		c := &Consumer{Priority: i, NoAck: true}
		effects, _ := q.Apply(0, []Command{
			{Kind: Subscribe, Consumer: c}, {Kind: Enqueue, Message: m},
			{Kind: Cancel, Consumer: c}, {Kind: Enqueue, Message: m},
		}, nil)
		if to := effects[1].Consumer; (to == c) != (i > 500) && i != 500 ||
			effects[2].Consumer != stays {
			t.Fatalf("priority %d: %v", i, effects)
		}
		checkBooks(t, &q)
	}
}

// A queue that is not plain looks whether its head expires, and no further.
func TestFewMessagesAreLoadedToLookAtTheHead(t *testing.T) {
	var q Queue
	s := Plain()
	s.DeadLetters = AtMostOnce
	q.Configure(s)
	q.Restore([]Extent{{First: 1, Last: 1000, Count: 1000, Bytes: 10_000}})
	effects, _ := q.Apply(0, nil, nil)
	if len(effects) != 1 || effects[0].Kind != Load || effects[0].Last() != peekMax {
		t.Fatalf("want a load of %d messages, got %v", peekMax, effects)
	}
	m := Numbered{Seq: 1, Message: storyMessage(t, "m", 0)}
	effects, _ = q.Apply(0, []Command{{Kind: LoadDone, Loaded: &Loaded{
		From: 1, Next: 2, Messages: []Numbered{m},
	}}}, nil)
	if len(effects) != 0 {
		t.Errorf("it goes on: %v", effects)
	}
}

func TestDeadLettersAreToldAgainAFewAtATime(t *testing.T) {
	const length = 2*deadMax + 10
	var q Queue
	s := Plain()
	s.Overflow, s.DeadLetters, s.MessageTTL = RejectPublish, AtLeastOnce, 1
	q.Configure(s)
	q.Apply(0, enqueueMany(storyMessage(t, "m", 0), 1, length, true), nil)
	tell := func(now int64, commands []Command) {
		t.Helper()
		told := 0
		for more := true; more; commands = nil {
			var effects []Effect
			effects, more = q.Apply(now, commands, nil)
			n := count(effects, Dead)
			if told += n; n > deadMax {
				t.Errorf("%d at once", n)
			}
			checkBooks(t, &q)
		}
		if told != length {
			t.Errorf("%d are dead, want %d", told, length)
		}
	}
	tell(1, nil)
	var failed []Command
	for seq := range uint64(length) {
		failed = append(failed, Command{Kind: DeadFailed, Seq: seq + 1})
	}
	q.Apply(1, failed, nil)
	tell(1+retryDeadMS, nil)
}

// A queue with priorities that was long and is empty keeps little.
func TestNumbersOfALongQueueAreFreed(t *testing.T) {
	var n numbers
	for seq := range uint64(3 * indexKept) {
		n.push(seq)
	}
	for seq := range uint64(3 * indexKept) {
		if got := n.pop(); got != seq {
			t.Fatalf("%d, want %d", got, seq)
		}
	}
	if len(n.items) > 0 {
		t.Errorf("room for %d is kept", len(n.items))
	}
	for seq := range uint64(100_000) { // a ring in which much has gone
		if n.push(seq); seq%3 > 0 {
			n.pop()
		}
	}
	if n.count != 33_334 || len(n.items) > 1<<16 {
		t.Errorf("%d numbers, room for %d", n.count, len(n.items))
	}
}

// A full queue that refuses and refuses remembers that in a word or two.
func TestWhatIsRefusedIsRememberedInRanges(t *testing.T) {
	const limit = 10
	var q Queue
	s := Plain()
	s.Overflow, s.MaxLength = RejectPublish, limit
	q.Configure(s)
	m := storyMessage(t, "m", 0)
	q.Apply(0, enqueueMany(m, 1, 100_000, true), nil)
	if q.Ready() != limit || len(q.special.refused) != 1 {
		t.Fatalf("%d ready, refused were %v", q.Ready(), q.special.refused)
	}
	for seq := 100_001; seq < 200_000; seq += 3 {
		commands := append([]Command{{Kind: Get, Consumer: &Consumer{NoAck: true}}},
			enqueueMany(m, seq, 3, true)...)
		if q.Apply(0, commands, nil); len(q.special.refused) > limit+1 {
			t.Fatalf("refused were %v, and %d are ready", q.special.refused, q.Ready())
		}
	}
}

// TestAFullPriorityQueueRemembersNoRefusals: it has nothing to load among which they could lie.
func TestAFullPriorityQueueRemembersNoRefusals(t *testing.T) {
	var q Queue
	s := Plain()
	s.MaxPriority, s.MaxLength, s.Overflow = 5, 2, RejectPublish
	q.Configure(s)
	k := &Consumer{}
	for seq := uint64(1); seq <= 3000; seq++ {
		m := storyMessage(t, "m", 0)
		m.ID = seq
		c := []Command{{Kind: Enqueue, Seq: seq, Message: m}}
		if seq%3 == 0 { // one leaves, one comes, one is refused
			c = append(c, Command{Kind: Get, Consumer: k})
		}
		q.Apply(0, c, nil)
	}
	if n := len(q.special.refused); n > 0 {
		t.Errorf("%d ranges of refused messages are remembered", n)
	}
}
