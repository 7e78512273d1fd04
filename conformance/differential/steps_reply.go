package differential

import (
	"fmt"
	"regexp"
	"slices"

	amqp "github.com/rabbitmq/amqp091-go"
)

// replyQueue is where a client consumes answers, and what it asks to be answered at.
const replyQueue = "amq.rabbitmq.reply-to"

// replyName is a name that a broker made up for who waits for answers.
var replyName = regexp.MustCompile(`\bamq\.rabbitmq\.reply-to\.[^'" ]+`)

// maskReplies returns text with such names numbered, in the order in which they came.
func (p *player) maskReplies(text string) string {
	return replyName.ReplaceAllStringFunc(text, func(name string) string {
		number := slices.Index(p.asked, name)
		if number < 0 {
			number = len(p.asked)
			p.asked = append(p.asked, name)
		}
		return fmt.Sprintf("%s/%d", replyQueue, number)
	})
}

// answer does something with a name that a question came with: publishes to it, or asks whether
// somebody waits there.
type answer struct {
	publish
	pick    int // among all names that came
	declare bool
}

func (s answer) String() string {
	if s.declare {
		return fmt.Sprintf("ch%d queue.declare passive of question %d", s.channel, s.pick)
	}
	return fmt.Sprintf("answer to question %d, %s", s.pick, s.publish)
}

// inTransaction is a sign that an answer was given in a transaction.
const inTransaction = ", in a transaction"

func (s answer) play(p *player) {
	if len(p.asked) == 0 {
		p.say("nobody asked")
		return
	}
	name := p.asked[s.pick%len(p.asked)]
	if s.declare {
		p.on(s.channel, func(l *lane) error {
			state, err := l.channel.QueueDeclarePassive(name, false, false, false, false, nil)
			if err == nil {
				p.say("declared %s: %s", state.Name, p.describeQueue(s.key, state))
			}
			return err
		})
		return
	}
	s.publish.exchange, s.publish.key = "", name
	s.publish.play(p)
	if l := p.lanes[s.channel]; l != nil && l.mode == transactions {
		p.say("answered%s", inTransaction)
	}
}

// reply returns a step of a client that asks without a queue, or of one that answers.
func (g *generator) reply() step {
	n := g.IntN(12)
	if g.waiting == nil {
		n = 0
	}
	switch n {
	case 0, 1:
		s := consume{channel: g.channel(), queue: replyQueue, tag: fmt.Sprintf("t%d", g.tags),
			automatic: !g.one(8), exclusive: g.one(8)}
		g.tags++
		g.waiting = append(g.waiting, s.channel)
		return s
	case 2, 3, 4, 5, 6:
		s := g.publish().(publish)
		s.exchange, s.key = "", pick(g, g.queues...)
		s.message.ReplyTo = replyQueue
		if !g.one(10) {
			s.channel = pick(g, g.waiting...)
		}
		return s
	case 7:
		return answer{publish: publish{channel: g.channel()}, pick: g.IntN(4), declare: true}
	default:
		if g.errors && g.one(4) {
			return g.replyMistake()
		}
		return answer{publish: g.publish().(publish), pick: g.IntN(4)}
	}
}

// replyMistake treats the name as if it were that of a queue.
func (g *generator) replyMistake() step {
	channel := g.channel()
	switch g.IntN(5) {
	case 0:
		return bind{channel: channel, source: "amq.direct", destination: replyQueue, key: g.key(),
			undo: g.one(2)}
	case 1:
		return get{channel, replyQueue, g.one(2)}
	case 2:
		return queuePurge{channel, replyQueue}
	case 3:
		return queueDelete{channel, replyQueue, g.one(2), g.one(2)}
	default:
		return queueDeclare{channel: channel, queue: replyQueue, passive: g.one(2),
			args: amqp.Table{}}
	}
}
