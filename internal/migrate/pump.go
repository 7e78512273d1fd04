package migrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/amqp"
)

const (
	// window is how many messages of a queue are on their way at most.
	window = 500
	// idle is how long a source may be silent before it is asked whether something is left.
	idle = 500 * time.Millisecond
	// silence is how long a source may be silent although something is left.
	silence = 30 * time.Second
	// settling is how long messages on their way are waited for after an interruption.
	settling = 10 * time.Second
)

// deliveryCount is a header that quorum queues add to what they deliver.
const deliveryCount = "x-delivery-count"

// job is a queue whose messages are to be moved.
type job struct {
	vhost, queue string
	autoDelete   bool
	quorum       bool
	count        uint64 // messages at the start: not more are moved
	keep         bool   // they stay at the source
}

// pump carries the messages of one queue. Deliveries are numbered from 1 at the source and
// publishes from 1 at the target; since each delivery is published in its turn, the numbers are
// the same, and a confirm of the target is, word for word, an acknowledgement for the source.
type pump struct {
	job
	source, target *conn
	exchange       string
	left           func() (uint64, error) // messages ready at the source
	moved          func(count int)        // called by the goroutine of confirms

	// Owned by the goroutine that reads the source.
	delivered uint64
	pulls     int // basic.get not answered
	message   message
	out       []byte
	drained   bool

	confirmed atomic.Uint64
	goal      atomic.Uint64 // when confirmed, all is done; noGoal while unknown
	failed    atomic.Pointer[error]
}

const noGoal = ^uint64(0)

// message is the one being received.
type message struct {
	routingKey string
	header     amqp.ContentHeader
	properties []byte
	body       []byte
	expected   bool // a header comes next, or the rest of a body
}

// open prepares both ends. What a target knows of a message besides its content is its exchange
// and routing key: the message goes through a fanout of its own, so that the routing key stays,
// and that what the header CC names gets no second copy.
func (p *pump) open() error {
	sum := sha256.Sum256([]byte(p.vhost + "\x00" + p.queue))
	p.exchange = "warren.migrate." + hex.EncodeToString(sum[:8])
	p.goal.Store(noGoal)
	for _, step := range []struct {
		method amqp.Method
		want   amqp.MethodID
	}{
		{&amqp.ExchangeDeclare{Exchange: p.exchange, Type: "fanout", AutoDelete: true},
			amqp.MethodExchangeDeclareOk},
		{&amqp.QueueBind{Queue: p.queue, Exchange: p.exchange}, amqp.MethodQueueBindOk},
		{&amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk},
	} {
		if _, err := p.target.call(step.method, step.want); err != nil {
			return fmt.Errorf("at the target: %w", err)
		}
	}
	if p.autoDelete {
		return p.pull() // a consumer that goes would take the queue with it
	}
	if !p.keep {
		qos := &amqp.BasicQos{PrefetchCount: window}
		if _, err := p.source.call(qos, amqp.MethodBasicQosOk); err != nil {
			return fmt.Errorf("at the source: %w", err)
		}
	}
	consume := amqp.AppendMethodFrame(nil, channelID, &amqp.BasicConsume{
		Queue: p.queue, ConsumerTag: "migrate",
	})
	_, err := p.source.Write(consume) // the answer comes among the deliveries
	return err
}

// pull asks for messages one by one, many at a time.
func (p *pump) pull() error {
	var out []byte
	asked := p.delivered + uint64(p.pulls)
	for ; p.pulls < window && asked < p.count; asked++ {
		out = amqp.AppendMethodFrame(out, channelID, &amqp.BasicGet{Queue: p.queue})
		p.pulls++
	}
	if len(out) == 0 {
		return nil
	}
	_, err := p.source.Write(out)
	return err
}

// run moves messages until the source has none, the number at the start is reached, or ctx ends;
// what is on its way then is settled first. Afterwards both connections are of no use.
func (p *pump) run(ctx context.Context) error {
	if err := p.open(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.source.SetReadDeadline(past) })
	defer stop()
	var confirming sync.WaitGroup
	confirming.Go(func() {
		if err := p.confirms(); err != nil {
			p.failed.CompareAndSwap(nil, &err)
			_ = p.source.SetReadDeadline(past)
		}
	})
	err := p.deliveries(ctx)
	p.goal.Store(p.delivered)
	if p.confirmed.Load() >= p.delivered {
		_ = p.target.SetReadDeadline(past)
	} else if err != nil || ctx.Err() != nil {
		_ = p.target.SetReadDeadline(time.Now().Add(settling))
	}
	confirming.Wait()
	if failed := p.failed.Load(); failed != nil {
		return *failed
	}
	if err != nil {
		return fmt.Errorf("at the source: %w", err)
	}
	_ = p.target.SetDeadline(time.Time{})
	_, err = p.target.call(&amqp.ExchangeDelete{Exchange: p.exchange}, amqp.MethodExchangeDeleteOk)
	return errors.Join(err, ctx.Err())
}

// deliveries reads the source and publishes at the target.
func (p *pump) deliveries(ctx context.Context) error {
	quiet := time.Now()
	for p.delivered < p.count && !p.drained && ctx.Err() == nil && p.failed.Load() == nil {
		f, ok, err := p.source.buffered()
		if err != nil {
			return err
		}
		if ok {
			if err := p.take(f); err != nil {
				return err
			}
			quiet = time.Now()
			continue
		}
		if err := p.flush(); err != nil {
			return err
		}
		if p.autoDelete && p.pulls < window/2 {
			if err := p.pull(); err != nil {
				return err
			}
		}
		if err := p.wait(ctx, quiet); err != nil {
			return err
		}
	}
	return p.flush()
}

// wait reads once from the source; when it is silent, it finds out whether anything is left.
func (p *pump) wait(ctx context.Context, quiet time.Time) error {
	if err := p.source.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	if ctx.Err() != nil || p.failed.Load() != nil { // what they set the deadline for
		return nil
	}
	err := p.source.fill()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if ctx.Err() != nil || p.failed.Load() != nil || p.confirmed.Load() < p.delivered {
		return nil
	}
	left, err := p.left()
	switch {
	case err != nil:
		return err
	case left == 0:
		p.drained = true
	case time.Since(quiet) > silence:
		return fmt.Errorf("%d messages are left and none comes: is another consumer the single "+
			"active or the exclusive one?", left)
	}
	return nil
}

// take handles one frame from the source.
func (p *pump) take(f amqp.Frame) error {
	switch f.Type {
	case amqp.FrameMethod:
		return p.method(f.Payload)
	case amqp.FrameHeader:
		return p.header(f.Payload)
	case amqp.FrameBody:
		return p.body(f.Payload)
	}
	return nil
}

func (p *pump) method(payload []byte) error {
	id, err := amqp.ParseMethodID(payload)
	if err != nil {
		return err
	}
	switch id {
	case amqp.MethodBasicDeliver, amqp.MethodBasicGetOk, amqp.MethodBasicGetEmpty:
	default:
		return closing(id, payload)
	}
	m, err := amqp.ParseMethod(payload)
	if err != nil {
		return err
	}
	var tag uint64
	switch m := m.(type) {
	case *amqp.BasicDeliver:
		tag, p.message.routingKey = m.DeliveryTag, m.RoutingKey
	case *amqp.BasicGetOk:
		p.pulls--
		tag, p.message.routingKey = m.DeliveryTag, m.RoutingKey
	default:
		p.pulls--
		p.drained = true
		return nil
	}
	if tag != p.delivered+1 {
		return fmt.Errorf("delivery %d comes after delivery %d", tag, p.delivered)
	}
	p.message.expected = true
	return nil
}

func (p *pump) header(payload []byte) error {
	h, err := amqp.ParseContentHeader(payload)
	if err != nil {
		return err
	}
	if !p.message.expected {
		return errors.New("a content header comes without a delivery")
	}
	p.message.header = h
	p.message.properties = append(p.message.properties[:0], h.Properties...)
	p.message.body = p.message.body[:0]
	if h.BodySize == 0 {
		return p.publish()
	}
	return nil
}

func (p *pump) body(payload []byte) error {
	m := &p.message
	if !m.expected || uint64(len(m.body)+len(payload)) > m.header.BodySize {
		return errors.New("more of a body comes than was announced")
	}
	m.body = append(m.body, payload...)
	if uint64(len(m.body)) == m.header.BodySize {
		return p.publish()
	}
	return nil
}

// flushSize is how many bytes are gathered before they are written.
const flushSize = 256 << 10

// publish sends the message on.
func (p *pump) publish() error {
	m := &p.message
	m.expected = false
	properties := amqp.RawProperties(m.properties)
	if p.quorum && bytes.Contains(properties.Headers(), []byte(deliveryCount)) {
		properties = withoutCount(properties)
	}
	p.delivered++
	p.out = amqp.AppendMethodFrame(p.out, channelID, &amqp.BasicPublish{
		Exchange: p.exchange, RoutingKey: m.routingKey, Mandatory: true,
	})
	p.out = amqp.AppendContent(p.out, channelID, properties, m.body, p.target.frameMax)
	if len(p.out) >= flushSize {
		return p.flush()
	}
	return nil
}

// withoutCount takes away the header that the source added, and headers that are empty then.
func withoutCount(properties amqp.RawProperties) amqp.RawProperties {
	edited := properties.AppendEdited(nil, &amqp.Edit{DropHeader: deliveryCount})
	if len(amqp.RawProperties(edited).Headers()) == 0 {
		edited = properties.AppendEdited(nil, &amqp.Edit{SetHeaders: true})
	}
	return edited
}

func (p *pump) flush() error {
	if len(p.out) == 0 {
		return nil
	}
	_, err := p.target.Write(p.out)
	p.out = p.out[:0]
	if err != nil {
		return fmt.Errorf("publish at the target: %w", err)
	}
	return nil
}
