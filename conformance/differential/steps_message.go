package differential

import (
	"context"
	"fmt"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// publish publishes messages, all alike but for their numbers.
type publish struct {
	channel       int
	exchange, key string
	mandatory     bool
	first, count  int
	size          int // of the body at least
	message       amqp.Publishing
}

func (s publish) String() string {
	return fmt.Sprintf("ch%d basic.publish %d from m%d to %q by %q size %d%s%s", s.channel, s.count,
		s.first, s.exchange, s.key, s.size, flags(map[string]bool{"mandatory": s.mandatory}),
		properties(s.message))
}

func (s publish) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		for i := range s.count {
			message := s.message
			message.Headers = p.names(s.message.Headers)
			body := fmt.Sprintf("m%d", s.first+i)
			body += strings.Repeat(".", max(0, s.size-len(body)))
			message.Body = []byte(body)
			err := l.channel.PublishWithContext(context.Background(), p.name(s.exchange),
				p.key(s.key), s.mandatory, false, message)
			if err != nil {
				return err
			}
			l.sent = true
			if l.mode == confirms {
				l.published++
			}
		}
		return nil
	})
}

// get takes a message from a queue.
type get struct {
	channel   int
	queue     string
	automatic bool
}

func (s get) String() string {
	return fmt.Sprintf("ch%d basic.get %q%s", s.channel, s.queue,
		flags(map[string]bool{"no-ack": s.automatic}))
}

func (s get) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		delivery, ok, err := l.channel.Get(p.name(s.queue), s.automatic)
		switch {
		case err != nil:
			return err
		case !ok:
			p.say("empty")
		default:
			p.say("got %s, %d more", describe(delivery), delivery.MessageCount)
			l.count(delivery)
			if !s.automatic {
				l.hold(delivery, s.queue)
			}
		}
		return nil
	})
}

// consume starts a consumer.
type consume struct {
	channel              int
	queue, tag           string
	automatic, exclusive bool
	args                 amqp.Table
}

func (s consume) String() string {
	return fmt.Sprintf("ch%d basic.consume %q as %s%s%s", s.channel, s.queue, s.tag,
		flags(map[string]bool{"no-ack": s.automatic, "exclusive": s.exclusive}), arguments(s.args))
}

func (s consume) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		l.consumers[s.tag] = s
		deliveries, err := l.channel.Consume(p.name(s.queue), s.tag, s.automatic, s.exclusive,
			false, false, s.args)
		if err == nil {
			l.consuming++
			go l.collect(deliveries)
			p.say("consuming")
		}
		return err
	})
}

// cancel ends a consumer.
type cancel struct {
	channel int
	tag     string
}

func (s cancel) String() string { return fmt.Sprintf("ch%d basic.cancel %s", s.channel, s.tag) }

func (s cancel) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		err := l.channel.Cancel(s.tag, false)
		if err == nil {
			p.say("cancelled")
		}
		return err
	})
}

// fate is what a client does with a delivery.
type fate int

const (
	acknowledge fate = iota
	reject
	nack
)

// settlement settles a delivery that a channel holds, or the next that holds any.
type settlement struct {
	channel           int
	fate              fate
	multiple, requeue bool
	pick              int // among what is held
	wrong             bool
}

func (s settlement) String() string {
	what := fmt.Sprintf("held %d", s.pick)
	if s.wrong {
		what = "what is not held"
	}
	return fmt.Sprintf("ch%d basic.%s %s%s", s.channel, []string{"ack", "reject", "nack"}[s.fate],
		what, flags(map[string]bool{"multiple": s.multiple, "requeue": s.requeue}))
}

// unheld is a delivery tag that no program reaches.
const unheld = 77777

func (s settlement) play(p *player) {
	channel := s.channel
	if !s.wrong {
		holder := p.holder(channel)
		if holder < 0 {
			p.say("nothing is held")
			return
		}
		channel = holder
	}
	p.on(channel, func(l *lane) error {
		tag := uint64(unheld)
		if !s.wrong {
			tag = l.held[s.pick%len(l.held)].tag
			p.say("channel %d settles%s", channel, p.tellHoldings(l.settled(tag, s.multiple)))
		}
		switch s.fate {
		case acknowledge:
			return l.channel.Ack(tag, s.multiple)
		case reject:
			return l.channel.Reject(tag, s.requeue)
		default:
			return l.channel.Nack(tag, s.multiple, s.requeue)
		}
	})
}

// holder returns the first channel that holds a delivery, looking from one on, -1 if none does.
func (p *player) holder(from int) int {
	for i := range channelCount {
		channel := (from + i) % channelCount
		if l := p.lanes[channel]; l != nil && len(l.held) > 0 {
			return channel
		}
	}
	return -1
}
