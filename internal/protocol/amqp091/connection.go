// Package amqp091 is the door for AMQP 0-9-1: it turns bytes of a connection into commands
// for the broker and effects of queues into bytes, exactly as RabbitMQ does.
//
// Floor 6, beside the other doors. It only translates: rules are in the packages below. Serve
// takes one accepted connection and returns when it is over. One goroutine reads a connection;
// it parses everything one read brought, hands it to the broker as one batch and sends what
// came of it. A second goroutine exists only while the client is slower than what is sent.
package amqp091

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// state is how far a connection has come.
type state uint8

const (
	awaitHeader state = iota
	awaitStartOk
	awaitTuneOk
	awaitOpen
	running
	closing // connection.close was sent; only its answer counts
	ended
)

// errEnded ends the reader: the connection is over and everything has been said.
var errEnded = errors.New("connection ended")

// errLeft is errEnded by the client, who has to hang up.
var errLeft = fmt.Errorf("client left: %w", errEnded)

// Connection is one AMQP connection. Except where noted, its fields belong to the goroutine
// that reads it.
type Connection struct {
	options *Options
	conn    net.Conn
	in      *input
	out     output
	state   state

	id          uint64
	connectedAt time.Time

	user       string
	vhost      string
	properties amqp.Table // what the client says of itself
	mechanism  string
	shown      atomic.Uint32 // the state, for others
	evicted    atomic.Bool   // the reader was woken to leave; see evict
	forced     atomic.Bool   // the node has told the client to go; see force
	access     *broker.Access
	owner      uint64 // the access's ID, which is shown
	batch      *broker.Batch
	routes     broker.RouteCache
	arena      message.Arena
	frameMax   uint32
	channelMax uint16
	channels   map[uint16]*Channel    // changed under out.mu
	last       *Channel               // the channel of the last frame
	direct     direct                 // the frame that is being read
	confirming []*Channel             // with confirms to give when the batch has run
	tickets    []ticket               // of publishes in the batch that may be refused
	replied    []broker.ReplyReceiver // that have to be flushed
	account    *account               // nil: nothing was counted; set under out.mu
	counted    *account               // the same, as soon as the reader has counted something
	publishes  publishes
	tracing    atomic.Pointer[tracing] // nil: nothing was traced yet

	// cancelNotify: the client wants to be told when a consumer's queue goes away.
	cancelNotify bool
	// closeOnFailedLogin: the client wants to be told why before the socket closes.
	closeOnFailedLogin bool

	// traced: copies of messages are wanted, as of the last read.
	traced bool

	// blocked: an alarm is on, and the connection has published.
	blocked bool
	// blockedNotify: the client wants to be told.
	blockedNotify bool

	tls       *broker.TLSState // nil: it is not encrypted
	certified bool             // the client's certificate was verified

	clock    clock
	hold     hold
	received atomic.Bool // something arrived since the heartbeat last looked
	working  atomic.Bool // the reader neither reads nor waits for the client

	// What follows is guarded by out.mu.

	unconfirmed []*Channel // channels with confirms that wait for the log
	consumers   map[*consumer]struct{}
	opened      bool // the vhost is
	// channelsOpened counts channels, those that are closed included.
	channelsOpened uint64
	closeSaid      bool // connection.close or its answer has been sent
	// publishing: the reader waits for the log, with what was published.
	publishing bool
	// blockedBy: the alarms that the client is blocked by, 0 when it is not.
	blockedBy    broker.Alarm
	blockedSince time.Time
}

// Serve speaks AMQP 0-9-1 with the client behind conn until one of them ends it. It closes
// conn. When it returns, nothing of the connection is left: consumers are cancelled, what was
// unacknowledged is back in its queues, exclusive queues are gone.
func (d *Door) Serve(conn net.Conn) {
	c := &Connection{
		options: &d.options, conn: conn, frameMax: frameMaxBeforeLogin, connectedAt: time.Now(),
		id: d.options.Broker.NewID(),
	}
	c.in = newInput(conn, c.idle)
	c.hold.conn = c
	c.arena.Pool = d.options.Broker.Chunks()
	c.out.init(conn)
	c.out.resume = c.resumeConsumers
	c.startHandshake(d.options.HandshakeTimeout)
	d.enter(c)
	defer d.leave(c)
	err := c.secure()
	if err == nil {
		err = c.read()
	}
	c.end(err)
}

// say logs an event, unless it comes too often, and names the connection.
func (c *Connection) say(level slog.Level, event string, args ...any) {
	c.options.log.Say(c.options.Logger, level, event, func() []any {
		return append([]any{"peer", c.conn.RemoteAddr().String(), "user", c.user}, args...)
	})
}

// givenName is what the client calls the connection, "" if it does not.
func (c *Connection) givenName() string {
	name, _ := c.properties.Lookup("connection_name")
	text, _ := name.Text()
	return string(text)
}

// read is the reader's loop.
func (c *Connection) read() error {
	need := 0
	for {
		data, err := c.receive(need)
		if err != nil && c.wokenToLeave(err) {
			continue
		}
		if err != nil {
			return err
		}
		c.received.Store(true)
		c.working.Store(true)
		c.busy()
		need, err = c.take(data)
		for err == nil && c.blocked {
			if err = c.awaitUnblock(); err == nil {
				need, err = c.take(c.in.rest())
			}
		}
		if err != nil {
			return err
		}
		c.awaitReader()
		c.working.Store(false)
	}
}

// take does what data asks, and says how large the frame is that it ends with the beginning of.
func (c *Connection) take(data []byte) (need int, err error) {
	n, need, err := c.parse(data)
	c.in.consume(n)
	c.finishBatch()
	return need, err
}

// awaitReader blocks while the client leaves too many answers unread.
func (c *Connection) awaitReader() {
	if c.out.pending.Load() < repliesMax {
		return
	}
	c.working.Store(false)
	c.hold.Begin(broker.WaitClient)
	c.out.wait()
	c.hold.End()
	c.working.Store(true)
	c.received.Store(true) // what has not been taken meanwhile
}

// busy gets the connection what it needs to work; idle gives back what it does not need while
// it waits.
func (c *Connection) busy() {
	if c.batch == nil {
		c.batch = c.options.Broker.NewBatch()
		c.batch.Hold = &c.hold
	}
	c.traced = c.access != nil && c.access.Tracing()
}

func (c *Connection) idle() {
	if c.batch != nil {
		c.batch.Release()
		c.batch = nil
	}
}

// parse takes all whole frames of data, or those up to the one that blocks the connection. It
// says how much it used and how large the frame is of which data holds only the beginning (0
// when that is not known yet).
func (c *Connection) parse(data []byte) (used, need int, err error) {
	if c.state == awaitHeader {
		if used, err = c.protocolHeader(data); used == 0 || err != nil {
			return used, 0, err
		}
	}
	if c.direct.ch != nil {
		if used, err = c.goOnDirect(data); err != nil {
			return used, 0, err
		}
	}
	for used < len(data) && !c.blocked {
		f, n, err := amqp.ParseFrame(data[used:], c.frameMax)
		if err != nil {
			return len(data), 0, c.broken(err)
		}
		if n == 0 && c.beginDirect(data[used:]) {
			return len(data), 0, nil
		}
		if n == 0 {
			return used, frameSize(data[used:]), nil
		}
		used += n
		if err := c.frame(&f); err != nil {
			return used, 0, err
		}
		if c.batch.Full() {
			c.finishBatch()
		}
	}
	return used, 0, nil
}

// frameSize is the size of the frame that b begins, 0 while that cannot be told.
func frameSize(b []byte) int {
	if len(b) < amqp.FrameOverhead-1 {
		return 0
	}
	size := uint32(b[3])<<24 | uint32(b[4])<<16 | uint32(b[5])<<8 | uint32(b[6])
	return int(size) + amqp.FrameOverhead
}

// frame takes one frame. An error it returns ends the connection at once; mistakes of the
// client are answered here.
func (c *Connection) frame(f *amqp.Frame) error {
	switch {
	case f.Type == amqp.FrameHeartbeat:
		if f.Channel != 0 && c.state == running {
			return c.hard(amqp.UnexpectedFrameError(f))
		}
		return nil
	case c.state == running && f.Channel != 0:
		return c.channelFrame(f)
	case f.Type != amqp.FrameMethod:
		return c.strayFrame(f)
	}
	id, err := amqp.ParseMethodID(f.Payload)
	if err != nil {
		return c.broken(err)
	}
	if f.Channel != 0 {
		return c.strayFrame(f)
	}
	m, err := amqp.ParseMethod(f.Payload)
	if err != nil && c.state != closing {
		return c.broken(err)
	}
	return c.method(id, m)
}

// channelFrame gives a frame to its channel.
func (c *Connection) channelFrame(f *amqp.Frame) error {
	ch := c.last
	if ch == nil || ch.id != f.Channel {
		ch = c.channels[f.Channel]
		if ch == nil {
			return c.unopenedChannel(f)
		}
		c.last = ch
	}
	return c.onChannel(ch, ch.frame(f))
}

// onChannel answers a mistake of the client on a channel.
func (c *Connection) onChannel(ch *Channel, err error) error {
	if err == nil {
		return nil
	}
	var mistake *amqp.Error
	if !errors.As(err, &mistake) {
		return err
	}
	if mistake.Hard() {
		return c.hardOn(mistake, ch.id)
	}
	ch.fail(mistake)
	return nil
}

// finishBatch lets everything that was collected happen, and sends what came of it.
func (c *Connection) finishBatch() {
	c.batch.Run()
	c.answerBatch()
	c.tickets = c.tickets[:0]
}

// answerBatch gives the confirms of the batch that has just run.
func (c *Connection) answerBatch() {
	c.tally()
	if len(c.tickets) > 0 {
		c.takeRejected()
	}
	if len(c.confirming) > 0 {
		c.confirm()
	}
	if len(c.replied) > 0 {
		c.flushReplies()
	}
	c.out.flush()
}

// send appends a method to what goes out with the next flush.
func (c *Connection) send(channel uint16, m amqp.Method) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.end(amqp.AppendMethodFrame(c.out.begin(), channel, m))
}

// sayLast appends connection.close or its answer. A second close is left out: the node may want
// to end a connection that is ending for another reason.
func (c *Connection) sayLast(m amqp.Method) {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.closeSaid && m.ID() == amqp.MethodConnectionClose {
		return
	}
	c.closeSaid = true
	c.out.end(amqp.AppendMethodFrame(c.out.begin(), 0, m))
}

// leave gives back everything the connection has of the broker: consumers, unacknowledged
// messages, exclusive queues. The client is told of its end after that, so that whoever has
// seen the end of a connection finds nothing of it.
func (c *Connection) leave() {
	c.tally()
	for _, ch := range c.channels {
		ch.close()
	}
	c.out.mu.Lock()
	c.channels, c.last = nil, nil
	c.out.mu.Unlock()
	if c.access != nil {
		c.access.Close(c.batch)
		c.access = nil
	}
}

// end cleans up after the reader has stopped because of err.
func (c *Connection) end(err error) {
	c.stopClock()
	c.busy()
	c.batch.Run()
	c.leave()
	if errors.Is(err, errEnded) {
		c.out.drain(closeTimeout)
	}
	if errors.Is(err, errLeft) {
		c.linger()
	}
	c.out.close()
	_ = c.conn.Close()
	c.out.finish()
	c.in.release()
	c.idle()
	switch {
	case errors.Is(err, errEnded):
		c.say(slog.LevelInfo, "connection closed", "vhost", c.vhost,
			"lasted", time.Since(c.connectedAt).Round(time.Millisecond))
	case errors.Is(err, os.ErrDeadlineExceeded) && c.state < running && !c.forced.Load():
		c.say(slog.LevelWarn, "handshake timeout", "after", c.options.HandshakeTimeout)
	case c.state != awaitHeader && c.state != ended:
		c.say(slog.LevelWarn, "connection lost", "error", err)
	}
}

// linger waits until the client has hung up, closeTimeout at most, and throws away what comes. A
// client may be sending still what it had to send before its close: hanging up on it, it would be
// told of a broken connection, not of the answer.
func (c *Connection) linger() {
	_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	_, _ = io.Copy(io.Discard, c.conn)
}

// resumeConsumers offers messages again to the consumers that were held back because too much
// was waiting to be written.
func (c *Connection) resumeConsumers() {
	batch := c.options.Broker.NewBatch()
	c.out.mu.Lock()
	for k := range c.consumers {
		batch.Add(k.queue, queue.Command{Kind: queue.Resume, Consumer: &k.Consumer})
	}
	c.out.mu.Unlock()
	batch.Run()
	batch.Release()
}
