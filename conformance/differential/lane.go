package differential

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// notificationsMax is room for what the client's library tells during one step: it drops what
	// finds none.
	notificationsMax = 4096
	// patience is how long the player waits for something that has to come.
	patience = 10 * time.Second
)

// lane is an open channel of a program, and what came on it.
type lane struct {
	player   *player
	index    int
	link     *link
	channel  *amqp.Channel
	number   uint16
	before   int // deliveries on this channel number before it was opened
	mode     mode
	closed   chan *amqp.Error
	returns  chan amqp.Return
	confirms chan amqp.Confirmation
	cancels  chan string

	published int  // in confirm mode, not yet confirmed
	sent      bool // something was published in the transaction
	consuming int  // consumers that were started
	held      []holding
	pending   []holding // settled in a transaction that has not ended
	consumers map[string]consume
	lastTag   uint64          // of a delivery
	came      []amqp.Delivery // since the last step

	mu        sync.Mutex
	collected int
	fresh     []amqp.Delivery // not yet written down
	arrived   chan struct{}   // has an item when something was collected
}

// open opens channel index of the program.
func (p *player) open(index int) (*lane, error) {
	link, err := p.link(connectionOf(index))
	if err != nil {
		return nil, err
	}
	channel, err := link.connection.Channel()
	if err != nil {
		return nil, err
	}
	l := &lane{
		player: p, index: index, link: link, channel: channel,
		number:   link.tap.channelOpened(),
		mode:     p.program.modes[index],
		closed:   channel.NotifyClose(make(chan *amqp.Error, 1)),
		returns:  channel.NotifyReturn(make(chan amqp.Return, notificationsMax)),
		confirms: channel.NotifyPublish(make(chan amqp.Confirmation, notificationsMax)),
		cancels:  channel.NotifyCancel(make(chan string, notificationsMax)),
		arrived:  make(chan struct{}, 1),

		consumers: map[string]consume{},
	}
	l.before = link.tap.deliveries(l.number)
	switch l.mode {
	case confirms:
		err = channel.Confirm(false)
	case transactions:
		err = channel.Tx()
	}
	return l, err
}

// collect takes what a consumer gets until it ends.
func (l *lane) collect(deliveries <-chan amqp.Delivery) {
	for delivery := range deliveries {
		l.mu.Lock()
		l.collected++
		l.fresh = append(l.fresh, delivery)
		l.mu.Unlock()
		select {
		case l.arrived <- struct{}{}:
		default:
		}
	}
}

// expected is how many deliveries have come for this channel.
func (l *lane) expected() int { return l.link.tap.deliveries(l.number) - l.before }

// gather waits until the library has handed over every delivery that has come. It reports false
// when it never does.
func (l *lane) gather() bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		l.mu.Lock()
		complete := l.collected >= l.expected()
		l.mu.Unlock()
		if complete || l.channel.IsClosed() {
			return true
		}
		select {
		case <-l.arrived:
		case <-deadline.C:
			return false
		}
	}
}

// take returns the deliveries that are not yet written down, as the broker numbered them.
func (l *lane) take() []amqp.Delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.fresh
	l.fresh = nil
	slices.SortStableFunc(taken, func(a, b amqp.Delivery) int {
		return cmp.Or(cmp.Compare(a.DeliveryTag, b.DeliveryTag),
			cmp.Compare(l.answer(b), l.answer(a)))
	})
	return taken
}

// holding is a delivery that is to be settled.
type holding struct {
	tag                   uint64
	message, queue, taker string
}

// hold remembers a delivery that is to be settled. A get has no consumer.
func (l *lane) hold(d amqp.Delivery, queue string) {
	l.held = append(l.held, holding{d.DeliveryTag, word(d.Body), queue, d.ConsumerTag})
}

// answer returns 1 for an answer to a question of this channel, 0 for a delivery of a queue.
func (l *lane) answer(d amqp.Delivery) int {
	if l.consumers[d.ConsumerTag].queue == replyQueue {
		return 1
	}
	return 0
}

// count checks that a delivery has the number after the last one's. Answers have that of the next
// delivery, and do not count.
func (l *lane) count(d amqp.Delivery) {
	if l.answer(d) > 0 && d.DeliveryTag == l.lastTag+1 {
		return
	}
	l.lastTag++
	if d.DeliveryTag != l.lastTag {
		l.player.say("channel %d: delivery tag %d after %d", l.index, d.DeliveryTag, l.lastTag-1)
		l.lastTag = d.DeliveryTag
	}
}

// settled forgets a delivery, or all up to it, in a transaction only until it is taken back. It
// returns what is forgotten.
func (l *lane) settled(tag uint64, multiple bool) []holding {
	var settled []holding
	l.held = slices.DeleteFunc(l.held, func(held holding) bool {
		gone := held.tag == tag || multiple && held.tag < tag
		if gone {
			settled = append(settled, held)
		}
		return gone
	})
	if l.mode == transactions {
		l.pending = append(l.pending, settled...)
	}
	return settled
}

// ended is what the end of a transaction means for what was settled in it.
func (l *lane) ended(undone bool) {
	if undone {
		l.held = append(l.held, l.pending...)
		slices.SortFunc(l.held, func(a, b holding) int { return cmp.Compare(a.tag, b.tag) })
	}
	l.pending, l.sent = nil, false
}

// mixed says that a transaction both publishes and settles, if it does.
func (l *lane) mixed() string {
	if l.sent && len(l.pending) > 0 {
		return publishesAndSettles
	}
	return ""
}

// Signs that what several deliveries do together depends on an order that no broker promises.
const (
	ofSeveralQueues     = ", of several queues"
	ofSeveralConsumers  = ", of several consumers"
	ofQuorumQueue       = ", of a quorum queue"
	publishesAndSettles = ", published and settled"
)

// tellHoldings are the messages of deliveries, and whether they come from several places.
func (p *player) tellHoldings(all []holding) string {
	var text strings.Builder
	queues, takers, quorum := map[string]bool{}, map[string]bool{}, false
	for _, held := range all {
		text.WriteString(" " + held.message)
		queues[held.queue] = true
		takers[held.taker] = true
		quorum = quorum || p.quorum[held.queue]
	}
	if len(all) > 1 && quorum {
		text.WriteString(ofQuorumQueue)
	}
	if len(queues) > 1 {
		text.WriteString(ofSeveralQueues)
	}
	if len(takers) > 1 {
		text.WriteString(ofSeveralConsumers)
	}
	return text.String()
}
