package queue

import "fmt"

// LoadBytes is how many bytes of messages a Load is to bring at most, but always one message.
const LoadBytes = headWindow

// applyStore carries out the commands that come from the store.
func (q *Queue) applyStore(c *Command, effects []Effect) []Effect {
	p := &q.paging
	switch c.Kind {
	case LoadDone:
		q.loaded(c.Loaded)
	case LoadFailed:
		if p.loading.Last != 0 && p.loading.First == c.Seq {
			p.loading, p.loadFailed = Range{}, true
		}
	case Spilled:
		return q.spilled(c.Seq, effects)
	case SpillFailed:
		if p.spilling.Last != 0 && p.spilling.First == c.Seq {
			p.spilling, p.spillFailed = Range{}, true
		}
	case Retry:
		p.loadFailed, p.spillFailed = false, false
	}
	return effects
}

// get answers at once, unless the head is not in memory.
func (q *Queue) get(c *Consumer, effects []Effect) []Effect {
	q.paging.gets.push(c)
	return q.answerGets(effects)
}

// answerGets answers in order, as far as what is in memory allows.
func (q *Queue) answerGets(effects []Effect) []Effect {
	gets := &q.paging.gets
	for gets.len() > 0 {
		if q.ready == 0 {
			effects = append(effects, Effect{Kind: Empty, Consumer: gets.pop()})
			continue
		}
		seq, s := q.head()
		switch {
		case s != nil && q.special != nil && q.expired(seq):
			if q.special.dropped >= deadMax {
				return effects
			}
			effects = q.dropHead(seq, s, Expired, effects)
		case s != nil:
			effects = q.takeAndSweep(seq, s, gets.pop(), effects)
		case q.paging.loadFailed:
			effects = append(effects, Effect{Kind: Unavailable, Consumer: gets.pop()})
		default:
			return effects
		}
	}
	return effects
}

// takeAndSweep gives the message that head returned to who asked for one. What it lays bare and has
// expired counts no more among those that remain.
func (q *Queue) takeAndSweep(seq uint64, s *slot, c *Consumer, effects []Effect) []Effect {
	at := len(effects)
	effects = q.take(seq, s, c, effects)
	if q.special != nil && q.special.expiring {
		effects, _ = q.sweep(effects)
		effects[at].Ready = q.ready
	}
	return effects
}

// near returns the cost of the messages in memory before everything that is out.
func (q *Queue) near() int { return q.resident - q.out.beyond }

// peekMax is how many messages are read to learn whether the head of a queue expires.
const peekMax = 16

// load asks for messages when less than half a head window is in memory and somebody wants
// them; something is out.
func (q *Queue) load(effects []Effect) []Effect {
	p := &q.paging
	wanted := p.took && len(q.consumers) > 0 || q.waiting.len() > 0 || p.gets.len() > 0
	p.took = false
	near, window, peeks := q.near(), q.shrunk(headWindow), false
	if x := q.special; x != nil {
		if x.levels != nil {
			near = 0
		}
		wanted = wanted || x.expiring || x.levels != nil || q.mustDrop() ||
			x.maxBytes != never && q.guesses()
		peeks = !wanted && near == 0
	}
	if !wanted && !peeks || p.loading.Last != 0 || p.loadFailed || near >= window/2 {
		return effects
	}
	// As many numbers as will do, if what is there is spread evenly over them.
	r := &q.out.ranges[0]
	messages := max(1, (window-near)/(r.cost()/r.Count))
	if peeks {
		messages = min(messages, peekMax)
	}
	span := float64(r.Last-r.First+1) / float64(r.Count)
	numbers := max(1, uint64(float64(messages)*span))
	p.loading = Range{r.First, min(r.Last, r.First+numbers-1)}
	return append(effects, rangeEffect(Load, p.loading.First, p.loading.Last))
}

// loaded takes in what the store had. An answer to a load from before a purge has another From
// than any load after it.
func (q *Queue) loaded(l *Loaded) {
	asked := q.paging.loading
	if asked.Last == 0 || l.From != asked.First {
		return
	}
	q.paging.loading = Range{}
	if l.Next <= l.From || l.Next > asked.Last+1 {
		panic(fmt.Sprintf("queue: asked for %d to %d, got what is below %d", asked.First,
			asked.Last, l.Next))
	}
	if q.special == nil {
		q.expectDeadlines(l.Messages)
	}
	came, seq := amount{}, l.From
	for i := range l.Messages {
		m := &l.Messages[i]
		if m.Seq < seq || m.Seq >= l.Next {
			panic(fmt.Sprintf("queue: loaded message %d, expected one from %d to %d", m.Seq, seq,
				l.Next-1))
		}
		seq = m.Seq + 1
		if q.wasRefused(m.Seq) {
			continue
		}
		s := q.keep(m.Seq, &m.Message)
		s.state = slotReady
		s.spilled = m.Message.ID == 0
		if m.At != 0 {
			q.expireLoaded(m)
		}
		if q.hasLevels() {
			q.special.levels.add(q.special.settings.priority(&m.Message), m.Seq)
		}
		came.bytes += int64(m.Message.Size())
		came.bodies += int64(len(m.Message.Body()))
		came.count++
	}
	q.resident += int(came.bytes) + came.count*MessageOverhead
	wrong := q.out.advance(l.Next, came)
	q.ready += wrong.count
	q.bytes += int(wrong.bytes - came.bytes)
	if q.special != nil {
		q.special.bodies += int(wrong.bodies)
	}
}

// expireLoaded says when a message that has been loaded expires, if it does.
func (q *Queue) expireLoaded(m *Numbered) {
	if deadline := q.deadlineOf(&m.Message, m.At); deadline != never {
		q.slots.setDeadline(m.Seq, deadline)
	}
}

// expectDeadlines makes the queue special, if some of these messages expire, before they are
// counted.
func (q *Queue) expectDeadlines(messages []Numbered) {
	for i := range messages {
		if m := &messages[i]; m.At != 0 && m.Message.MayExpire() {
			q.makeSpecial()
			return
		}
	}
}
