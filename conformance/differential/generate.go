package differential

import (
	"fmt"
	"math/rand/v2"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// features are what a program is about. A program with few of them reaches deeper into each.
type features struct {
	consumers, consumerPriorities, single bool
	global                                bool
	ttl, expires, limits, deadLetters     bool
	priorities, quorum                    bool
	routing, alternates, carbonCopies     bool
	properties, errors, closings          bool
	forged, replies, histories            bool
}

// How big programs are.
const (
	queuesMax    = 4
	exchangesMax = 3
	stepsMin     = 8
	stepsMax     = 40
	slowStepsMax = 16
	burstMax     = 5
)

// generator makes a program, and remembers what it has declared.
type generator struct {
	*rand.Rand
	features
	program   program
	queues    []string
	exchanges []string
	kinds     map[string]string // of exchanges
	declared  map[string]queueDeclare
	waiting   []int // channels that consume answers
	tags      int
	messages  int
}

// generate returns the program of a seed, always the same one. A choice "-name" leaves a feature
// out of it, and "+name" puts one in.
func generate(seed int64, choices ...string) program {
	g := &generator{
		Rand:    rand.New(rand.NewPCG(uint64(seed), 0x77617272656e)),
		program: program{seed: seed},
		kinds:   map[string]string{}, declared: map[string]queueDeclare{},
	}
	g.features = g.pickFeatures()
	// These came later: they have their own chance, for a seed to go on meaning what it meant.
	later := rand.New(rand.NewPCG(uint64(seed), 0x6c61746572))
	g.forged, g.replies = later.IntN(6) == 0, later.IntN(6) == 0
	g.histories = g.routing && later.IntN(6) == 0
	for _, choice := range choices {
		name := strings.TrimLeft(choice, "+-")
		if feature := g.named()[name]; feature != nil {
			*feature = choice[0] == '+'
		}
	}
	g.program.quiet = g.quorum
	g.program.quorum = g.quorum
	g.program.lazy = g.ttl && (g.priorities || g.quorum) || g.expires && g.quorum
	g.program.modes[0] = pick(g, plain, plain, plain, confirms, confirms, transactions)
	g.program.modes[2] = pick(g, plain, plain, plain, confirms, transactions)
	g.declareAll()
	steps := stepsMin + g.IntN(stepsMax-stepsMin)
	if g.program.slow {
		steps = min(steps, slowStepsMax)
	}
	for range steps {
		if s := g.next(); s != nil {
			g.program.steps = append(g.program.steps, s)
		}
	}
	return g.program
}

// pick returns one of the choices; what comes twice is twice as likely.
func pick[T any](g *generator, choices ...T) T { return choices[g.IntN(len(choices))] }

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

func (g *generator) pickFeatures() features {
	f := features{
		consumers: !g.one(3), deadLetters: g.one(3), limits: g.one(3), priorities: g.one(5),
		routing: g.one(2), properties: g.one(4), errors: g.one(3),
		ttl: g.one(5), expires: g.one(16), quorum: g.one(6), carbonCopies: g.one(12),
	}
	f.alternates = f.routing && g.one(3)
	f.global = f.consumers && g.one(4)
	f.single = f.consumers && g.one(5)
	f.consumerPriorities = f.consumers && g.one(5)
	return f
}

// named are the features by name.
func (f *features) named() map[string]*bool {
	return map[string]*bool{
		"consumers": &f.consumers, "consumer-priorities": &f.consumerPriorities,
		"single": &f.single, "global": &f.global,
		"ttl": &f.ttl, "expires": &f.expires, "limits": &f.limits,
		"dead-letters": &f.deadLetters, "priorities": &f.priorities, "quorum": &f.quorum,
		"routing": &f.routing, "alternates": &f.alternates, "copies": &f.carbonCopies,
		"properties": &f.properties, "errors": &f.errors, "closings": &f.closings,
		"forged": &f.forged, "replies": &f.replies, "histories": &f.histories,
	}
}

// declareAll is the beginning of a program: something to talk to.
func (g *generator) declareAll() {
	if g.routing {
		for i := range 1 + g.IntN(exchangesMax) {
			g.exchanges = append(g.exchanges, fmt.Sprintf("e%d", i))
			g.add(g.exchangeDeclare(g.exchanges[i]))
		}
	}
	for i := range 1 + g.IntN(queuesMax) {
		g.queues = append(g.queues, fmt.Sprintf("q%d", i))
	}
	for _, queue := range g.queues {
		g.add(g.queueDeclare(queue))
	}
	for range 2 * len(g.exchanges) {
		g.add(g.bind(false))
	}
}

func (g *generator) add(s step) { g.program.steps = append(g.program.steps, s) }

// channel picks a channel, mostly the first.
func (g *generator) channel() int { return pick(g, 0, 0, 0, 1, 2) }

func (g *generator) queue() string {
	if g.errors && g.one(25) {
		return "q9" // declared nowhere
	}
	return pick(g, g.queues...)
}

func (g *generator) exchange() string {
	if g.errors && g.one(25) {
		return "e9"
	}
	if len(g.exchanges) == 0 {
		return ""
	}
	return pick(g, g.exchanges...)
}

// next returns a random step, nil if it has no sense now.
func (g *generator) next() step {
	if g.replies && g.one(3) {
		return g.reply()
	}
	switch n := g.IntN(100); {
	case n < 34:
		return g.publish()
	case n < 44:
		return get{g.channel(), g.queue(), g.one(3)}
	case n < 55:
		if g.consumers {
			return g.consume()
		}
		return get{g.channel(), g.queue(), g.one(3)}
	case n < 75:
		return g.settlement()
	case n < 78:
		return g.topology()
	default:
		return g.rest()
	}
}

func (g *generator) rest() step {
	switch g.IntN(14) {
	case 0:
		return queuePurge{g.channel(), g.queue()}
	case 1:
		return queueDelete{g.channel(), g.queue(), g.one(2), g.one(2)}
	case 2, 3:
		return g.queueDeclare(pick(g, g.queues...))
	case 4:
		return queueDeclare{channel: g.channel(), queue: g.queue(), passive: true}
	case 5, 6:
		if g.consumers && g.tags > 0 {
			return cancel{g.channel(), fmt.Sprintf("t%d", g.IntN(g.tags))}
		}
		return nil
	case 7, 8:
		return qos{g.channel(), pick(g, 0, 1, 1, 2, 3, 10), g.global && g.one(2)}
	case 9:
		return recovery{g.channel(), !g.errors || !g.one(4)}
	case 10, 11:
		return g.end()
	case 12:
		if g.closings {
			return closing{g.channel(), g.one(3)}
		}
		return nil
	default:
		if g.errors {
			return g.mistake()
		}
		return nil
	}
}

// end ends a transaction on a channel that has one.
func (g *generator) end() step {
	channel := g.channel()
	if g.program.modes[channel] != transactions && !(g.errors && g.one(20)) {
		return nil
	}
	return ending{channel, g.one(3)}
}

func (g *generator) topology() step {
	if len(g.exchanges) == 0 {
		return nil
	}
	switch g.IntN(5) {
	case 0:
		return exchangeDelete{g.channel(), g.exchange(), g.one(2)}
	case 1:
		return g.exchangeDeclare(pick(g, g.exchanges...))
	default:
		return g.bind(g.one(3))
	}
}

// mistake is something that a broker refuses, mostly.
func (g *generator) mistake() step {
	channel := g.channel()
	switch g.IntN(7) {
	case 0:
		return settlement{channel: channel, fate: pick(g, acknowledge, reject, nack), wrong: true,
			multiple: g.one(2)}
	case 1:
		return selection{channel, pick(g, confirms, transactions)}
	case 2:
		return queueDeclare{channel: channel, queue: "amq.q", durable: g.one(2)}
	case 3:
		return exchangeDeclare{channel: channel, exchange: pick(g, "amq.e", "amq.direct", ""),
			kind: pick(g, "direct", "fanout", "x-none"), durable: true, passive: g.one(2)}
	case 4:
		return exchangeDelete{channel, pick(g, "amq.topic", "", "e9"), g.one(2)}
	case 5:
		return bind{channel: channel, source: pick(g, "", "amq.direct", "e9"),
			destination: g.queue(), key: g.key(), undo: g.one(2)}
	default:
		return publish{channel: channel, exchange: pick(g, "e9", "amq.fanout"), key: g.key(),
			first: 999, count: 1, mandatory: g.one(2)}
	}
}

func (g *generator) settlement() step {
	s := settlement{
		channel: g.channel(), fate: pick(g, acknowledge, acknowledge, reject, nack, nack),
		requeue: g.one(2), pick: g.IntN(8),
	}
	if s.fate == acknowledge {
		s.requeue = false
	}
	s.multiple = s.fate != reject && g.one(3)
	return s
}

func (g *generator) consume() step {
	s := consume{
		channel: g.channel(), queue: g.queue(), tag: fmt.Sprintf("t%d", g.tags),
		automatic: g.one(4), exclusive: g.one(12),
	}
	if g.global && len(g.queues) > 1 {
		// Queues compete for what a channel may hold in no order that is promised.
		s.queue = g.queues[s.channel%len(g.queues)]
	}
	if g.errors && g.one(15) && g.tags > 0 {
		s.tag = fmt.Sprintf("t%d", g.IntN(g.tags))
	} else {
		g.tags++
	}
	if g.consumerPriorities && !g.one(3) {
		s.args = amqp.Table{"x-priority": pick[any](g, int32(1), int32(5), int32(-3), int64(10))}
		if g.errors && g.one(10) {
			s.args["x-priority"] = pick[any](g, "high", true, nil, int64(1)<<40)
		}
	}
	return s
}

func (g *generator) publish() step {
	s := publish{
		channel: g.channel(), exchange: g.exchange(), key: g.key(), mandatory: g.one(6),
		first: g.messages, count: 1, message: g.message(),
	}
	if s.exchange == "" || g.one(3) {
		s.exchange, s.key = "", g.queue()
	}
	if g.one(3) {
		s.count = 1 + g.IntN(burstMax)
	}
	if g.limits {
		s.size = pick(g, 0, 0, 30, 60, 120)
	}
	g.messages += s.count
	return s
}
