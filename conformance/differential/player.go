package differential

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// player plays one program at one broker, one step after the other, and writes down what happens.
type player struct {
	program program
	url     string
	prefix  string // of all names, so that programs do not meet

	links   [2]*link
	lanes   [channelCount]*lane
	queues  map[string]int    // those that may exist, with the connection that declared each
	counts  map[string]string // what was last seen of each queue
	written map[string]string // what was last written down of each
	quorum  map[string]bool   // those that are quorum queues
	made    struct{ queues, exchanges []string }
	relays  bool     // a queue may have messages for another one
	asked   []string // names to answer at, in the order in which they came
	acted   bool     // something was done since the player settled
	moved   bool     // something came, or a queue has changed

	lines []string

	mu   sync.Mutex
	taps []*tap
	hung bool
}

// stepMax is how long a step may take, with all that the player looks at after it.
const stepMax = 30 * time.Second

// hangUp cuts all connections, because a broker does not answer any more.
func (p *player) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hung = true
	for _, t := range p.taps {
		t.Close()
	}
}

// silenced reports whether the player has hung up.
func (p *player) silenced() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hung
}

// link is a connection of a program.
type link struct {
	connection *amqp.Connection
	tap        *tap
	closed     chan *amqp.Error
	eye        *amqp.Channel // looks at queues, nil until needed
}

// errNoAnswer says that a broker did not answer for so long that the player hung up.
var errNoAnswer = errors.New("no answer")

// transcript is what happened, a block of lines for each step.
type transcript [][]string

// play plays a program at the broker of a URL, and takes away what it made. All names begin with
// prefix; in the transcript they do not.
func play(program program, url, prefix string) (transcript, error) {
	p := &player{
		program: program, url: url, prefix: prefix,
		queues: map[string]int{}, counts: map[string]string{}, written: map[string]string{},
		quorum: map[string]bool{},
	}
	defer p.leave()
	var told transcript
	for i, step := range program.steps {
		p.lines = nil
		watch := time.AfterFunc(stepMax, p.hangUp)
		step.play(p)
		err := p.settle()
		watch.Stop()
		if p.silenced() {
			err = errNoAnswer
		}
		if err != nil {
			return told, fmt.Errorf("after step %d, %s: %w, but %q", i, step, err, p.lines)
		}
		told = append(told, p.lines)
	}
	return told, nil
}

// say writes down a line.
func (p *player) say(format string, values ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, values...), p.prefix, "")
	p.lines = append(p.lines, p.maskReplies(line))
}

// name is what the broker knows by a name of the program. What begins with "amq." or is empty means
// the same to everybody.
func (p *player) name(name string) string {
	if name == "" || strings.HasPrefix(name, "amq.") {
		return name
	}
	return p.prefix + name
}

// link returns an open connection.
func (p *player) link(index int) (*link, error) {
	if l := p.links[index]; l != nil {
		return l, nil
	}
	var listening *tap
	config := amqp.Config{
		Heartbeat: time.Minute,
		Dial: func(network, address string) (net.Conn, error) {
			conn, err := net.DialTimeout(network, address, patience)
			if err != nil {
				return nil, err
			}
			// The library expects a deadline until it knows the broker.
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				return nil, err
			}
			listening = newTap(conn)
			p.mu.Lock()
			p.taps = append(p.taps, listening)
			p.mu.Unlock()
			return listening, nil
		},
	}
	connection, err := amqp.DialConfig(p.url, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l := &link{connection: connection, tap: listening}
	l.closed = connection.NotifyClose(make(chan *amqp.Error, 1))
	p.links[index] = l
	return l, nil
}

// on does something on a channel of the program, which is opened if it is not. The error of a
// synchronous method is not told here: it closes the channel, and that is.
func (p *player) on(index int, do func(*lane) error) {
	p.acted = true
	l := p.lanes[index]
	if l == nil {
		opened, err := p.open(index)
		if err != nil {
			p.say("channel %d: does not open: %v", index, err)
			return
		}
		l = opened
		p.lanes[index] = l
	}
	if err := do(l); err != nil {
		var refusal *amqp.Error
		if !errors.As(err, &refusal) && !errors.Is(err, amqp.ErrClosed) {
			p.say("channel %d: %v", index, err)
		}
	}
	// What is processed in order has been processed when this is answered.
	_ = l.knock()
}

// knock asks for something that is always there.
func (l *lane) knock() error {
	if l.channel.IsClosed() {
		return amqp.ErrClosed
	}
	return l.channel.ExchangeDeclarePassive("amq.direct", amqp.ExchangeDirect, true, false, false,
		false, nil)
}

// mourn writes down which channels and connections have been closed, and forgets them. It reports
// whether there were any.
func (p *player) mourn() (any bool) {
	for i, l := range p.lanes {
		if l == nil || !l.channel.IsClosed() {
			continue
		}
		p.lanes[i], any = nil, true
		reason := lastWord(l.closed)
		if reason != nil && !l.link.connection.IsClosed() {
			p.say("channel %d closed: %d %s", i, reason.Code, reason.Reason)
		}
	}
	for i, l := range p.links {
		if l == nil || !l.connection.IsClosed() {
			continue
		}
		p.links[i], any = nil, true
		if reason := lastWord(l.closed); reason != nil {
			p.say("connection %d closed: %d %s", i, reason.Code, reason.Reason)
		}
	}
	return any
}

// lastWord returns why something closed, nil if it was asked to.
func lastWord(closed <-chan *amqp.Error) *amqp.Error {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case reason := <-closed:
		return reason
	case <-deadline.C:
		return nil
	}
}

// leave closes what is open and deletes what was made.
func (p *player) leave() {
	for i, l := range p.links {
		if l != nil {
			_ = l.connection.Close()
			p.links[i], p.lanes = nil, [channelCount]*lane{}
		}
	}
	connection, err := amqp.Dial(p.url)
	if err != nil {
		return
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return
	}
	for _, queue := range p.made.queues {
		_, _ = channel.QueueDelete(p.name(queue), false, false, true)
	}
	for _, exchange := range p.made.exchanges {
		_ = channel.ExchangeDelete(p.name(exchange), false, true)
	}
	// The answer says that all of it has been done.
	_ = channel.ExchangeDeclarePassive("amq.direct", amqp.ExchangeDirect, true, false, false, false,
		nil)
}

// remember notes a queue to look at, and to delete in the end.
func (p *player) remember(s queueDeclare, connection int) {
	queue := s.queue
	if queue == replyQueue {
		return // nothing was made
	}
	if _, known := p.queues[queue]; !known {
		p.queues[queue] = connection
	}
	p.quorum[queue] = s.args["x-queue-type"] == "quorum"
	p.relays = p.relays || s.args["x-dead-letter-exchange"] != nil
	if !slices.Contains(p.made.queues, queue) {
		p.made.queues = append(p.made.queues, queue)
	}
}

// nameArguments are those whose values are names.
var nameArguments = []string{"x-dead-letter-exchange", "x-dead-letter-routing-key",
	"alternate-exchange", "x-first-death-queue", "x-first-death-exchange", "queue", "exchange"}

// names returns a table in which the broker finds its own names.
func (p *player) names(table amqp.Table) amqp.Table {
	if table == nil {
		return nil
	}
	named := maps.Clone(table)
	for _, argument := range nameArguments {
		if name, ok := named[argument].(string); ok {
			named[argument] = p.key(name)
		}
	}
	for _, header := range []string{"CC", "BCC", "x-death", "routing-keys"} {
		if items, ok := named[header].([]any); ok {
			renamed := make([]any, len(items))
			for i, item := range items {
				renamed[i] = p.rename(item)
			}
			named[header] = renamed
		}
	}
	return named
}

// rename returns a name, or what has names in it, as the broker knows it.
func (p *player) rename(v any) any {
	switch v := v.(type) {
	case string:
		return p.key(v)
	case amqp.Table:
		return p.names(v)
	default:
		return v
	}
}

// key is what the broker knows by a routing key, which may be the name of a queue.
func (p *player) key(key string) string {
	if isName(key) {
		return p.name(key)
	}
	return key
}

// isName reports whether s is a name that programs give to queues and exchanges: a letter and a
// digit.
func isName(s string) bool {
	return len(s) == 2 && strings.ContainsRune("qepx", rune(s[0])) && s[1] >= '0' && s[1] <= '9'
}
