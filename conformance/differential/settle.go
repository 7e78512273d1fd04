package differential

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	// roundsMax is how often the player looks whether anything still moves.
	roundsMax = 40
	// silence is how long a program with queues that act late waits between two looks.
	silence = 30 * time.Millisecond
	// slowness is longer than any time that a program gives to messages or queues, with what is to
	// follow from its end; those that are not to end are much longer.
	slowness = 500 * time.Millisecond
)

// errRestless says that something moved for as long as the player cared to look.
var errRestless = errors.New("nothing settles")

// settle waits until nothing moves, and writes down what came and what became of the queues.
func (p *player) settle() error {
	if p.program.slow {
		<-time.After(slowness)
	}
	if err := p.awaitConfirms(); err != nil {
		return err
	}
	if !p.acted && !p.program.slow {
		return nil
	}
	p.acted = false
	quiet, wanted := 0, 1
	if p.consuming() {
		wanted = 2
	}
	if p.program.quiet {
		wanted = 3
	}
	if p.relays {
		// A look at a queue makes sure of what it has dead-lettered, but the next may have been
		// looked at before, and be as full afterwards.
		wanted = max(wanted, len(p.queues))
	}
	if p.mourn() {
		wanted = max(wanted, 3) // what a channel held comes back after the word that it is closed
	}
	for range roundsMax {
		p.moved = false
		p.look()
		p.knockAll()
		if err := p.listen(); err != nil {
			return err
		}
		if p.mourn() || p.moved {
			quiet = 0
		} else if quiet++; quiet >= wanted {
			p.tellDeliveries()
			p.count()
			return nil
		}
		if p.program.quiet {
			<-time.After(silence)
		}
	}
	return errRestless
}

// consuming reports whether anything may come unasked.
func (p *player) consuming() bool {
	return slices.ContainsFunc(p.lanes[:], func(l *lane) bool {
		return l != nil && l.consuming > 0
	})
}

// knockAll knocks at each channel where something may come unasked: what came before the answer has
// been counted.
func (p *player) knockAll() {
	for _, l := range p.lanes {
		if l != nil && l.consuming > 0 {
			_ = l.knock()
		}
	}
}

// awaitConfirms waits for a confirm of everything that was published.
func (p *player) awaitConfirms() error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for _, l := range p.lanes {
		if l == nil {
			continue
		}
		var nacked []uint64
		for l.published > 0 && !l.channel.IsClosed() {
			select {
			case c, open := <-l.confirms:
				if !open {
					l.published = 0
					break
				}
				l.published--
				if !c.Ack {
					nacked = append(nacked, c.DeliveryTag)
				}
			case <-deadline.C:
				return fmt.Errorf("%d messages are not confirmed", l.published)
			}
		}
		if len(nacked) > 0 {
			p.say("channel %d: nack of %d", l.index, nacked)
		}
	}
	return nil
}

// listen takes what came on the channels, and writes it down but for the deliveries.
func (p *player) listen() error {
	for _, l := range p.lanes {
		if l == nil {
			continue
		}
		if !l.gather() {
			return fmt.Errorf("of %d deliveries the library gave %d", l.expected(), l.collected)
		}
		for _, delivery := range l.take() {
			p.moved = true
			l.count(delivery)
			l.came = append(l.came, delivery)
		}
		p.moved = l.tellNotices() || p.moved
	}
	return nil
}

// tellNotices writes down returns, and then cancellations by name: those of a queue that is
// deleted come in any order. It reports whether there were any.
func (l *lane) tellNotices() bool {
	var cancelled []string
	returned := 0
	for told := true; told; {
		select {
		case r, open := <-l.returns:
			if told = open; told {
				returned++
				l.player.say("channel %d: %s", l.index, describeReturn(r))
			}
		case tag, open := <-l.cancels:
			if told = open; told {
				cancelled = append(cancelled, tag)
			}
		default:
			told = false
		}
	}
	slices.Sort(cancelled)
	for _, tag := range cancelled {
		l.player.say("channel %d: cancel of %s", l.index, tag)
	}
	return returned+len(cancelled) > 0
}

// tellDeliveries writes down what was delivered since the last step: for each channel queue by
// queue, for no broker promises an order between queues.
func (p *player) tellDeliveries() {
	for _, l := range p.lanes {
		if l == nil {
			continue
		}
		slices.SortStableFunc(l.came, func(a, b amqp.Delivery) int {
			return cmp.Or(
				cmp.Compare(l.consumers[a.ConsumerTag].queue, l.consumers[b.ConsumerTag].queue),
				cmp.Compare(a.DeliveryTag, b.DeliveryTag))
		})
		for _, delivery := range l.came {
			consumer := l.consumers[delivery.ConsumerTag]
			p.say("channel %d: %s of %s gets %s", l.index, delivery.ConsumerTag, consumer.queue,
				describe(delivery))
			if !consumer.automatic {
				l.hold(delivery, consumer.queue)
			}
		}
		l.came = nil
	}
}

// look asks how many messages and consumers each queue has. A change is movement, though only what
// is there in the end is written down.
func (p *player) look() {
	for _, queue := range slices.Sorted(maps.Keys(p.queues)) {
		seen := p.lookAt(queue)
		if p.counts[queue] != seen {
			p.counts[queue] = seen
			p.moved = true
		}
	}
}

// gone is what is seen of a queue that does not exist.
const gone = "gone"

func (p *player) lookAt(queue string) string {
	link, err := p.link(p.queues[queue])
	if err != nil {
		return err.Error()
	}
	if link.eye == nil {
		if link.eye, err = link.connection.Channel(); err != nil {
			return err.Error()
		}
	}
	state, err := link.eye.QueueDeclarePassive(p.name(queue), false, false, false, false, nil)
	var refusal *amqp.Error
	switch {
	case err == nil:
		return p.describeQueue(queue, state)
	case errors.As(err, &refusal) && refusal.Code == amqp.NotFound:
		link.eye = nil
		return gone
	default:
		link.eye = nil
		return err.Error()
	}
}

// describeQueue is what a queue says of itself. To a quorum queue of RabbitMQ who gets a message is
// a consumer until it is settled, so of those the consumers are not told.
func (p *player) describeQueue(queue string, state amqp.Queue) string {
	if p.quorum[queue] {
		return fmt.Sprintf("%d messages", state.Messages)
	}
	return fmt.Sprintf("%d messages, %d consumers", state.Messages, state.Consumers)
}

// count writes down the queues that have changed.
func (p *player) count() {
	for _, queue := range slices.Sorted(maps.Keys(p.queues)) {
		if p.written[queue] != p.counts[queue] {
			p.say("queue %s: %s", queue, p.counts[queue])
			p.written[queue] = p.counts[queue]
		}
		if p.counts[queue] == gone {
			delete(p.queues, queue)
			delete(p.counts, queue)
			delete(p.written, queue)
		}
	}
}
