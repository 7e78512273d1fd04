package migrate

import (
	"errors"
	"fmt"
	"os"

	"github.com/warrenmq/warren/amqp"
)

// tally knows which numbers are confirmed: all up to low, and those above it in single.
type tally struct {
	low    uint64
	single map[uint64]struct{}
}

// add notes a confirm and returns how many messages it is news for.
func (t *tally) add(tag uint64, multiple bool) int {
	if tag <= t.low {
		return 0
	}
	if !multiple {
		if _, known := t.single[tag]; known {
			return 0
		}
		t.single[tag] = struct{}{}
		t.advance()
		return 1
	}
	count := int(tag - t.low)
	for number := range t.single {
		if number <= tag {
			count--
			delete(t.single, number)
		}
	}
	t.low = tag
	t.advance()
	return count
}

func (t *tally) advance() {
	for {
		if _, ok := t.single[t.low+1]; !ok {
			return
		}
		t.low++
		delete(t.single, t.low)
	}
}

// confirms reads what the target says, and acknowledges at the source what is confirmed, until
// the goal is reached. What came before a failure is acknowledged still.
func (p *pump) confirms() error {
	known := tally{single: map[uint64]struct{}{}}
	var acks []byte
	settle := func() error {
		if len(acks) == 0 || p.keep {
			return nil
		}
		_, err := p.source.Write(acks)
		acks = acks[:0]
		if err != nil {
			return fmt.Errorf("acknowledge at the source: %w", err)
		}
		return nil
	}
	for {
		f, ok, err := p.target.buffered()
		if !ok && err == nil {
			if err = settle(); err != nil {
				return err
			}
			if p.confirmed.Load() >= p.goal.Load() {
				return nil
			}
			err = p.target.fill()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if p.confirmed.Load() >= p.goal.Load() {
				return nil
			}
			return fmt.Errorf("the target did not confirm everything within %s; "+
				"messages may be at both ends", settling)
		}
		if err == nil && ok && f.Type == amqp.FrameMethod {
			acks, err = p.confirm(&known, acks, f.Payload)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("at the target: %w", err), settle())
		}
	}
}

// confirm handles one method from the target and appends what it means for the source.
func (p *pump) confirm(known *tally, acks, payload []byte) ([]byte, error) {
	id, err := amqp.ParseMethodID(payload)
	if err != nil {
		return acks, err
	}
	if err := closing(id, payload); err != nil {
		return acks, err
	}
	switch id {
	case amqp.MethodBasicReturn:
		return acks, errors.New("the queue took no message: is it gone?")
	case amqp.MethodBasicNack:
		return acks, errors.New("the queue refuses messages: is it full?")
	case amqp.MethodBasicAck:
	default:
		return acks, nil
	}
	m, err := amqp.ParseMethod(payload)
	if err != nil {
		return acks, err
	}
	ack := m.(*amqp.BasicAck)
	count := known.add(ack.DeliveryTag, ack.Multiple)
	if count == 0 {
		return acks, nil
	}
	p.confirmed.Add(uint64(count))
	p.moved(count)
	return amqp.AppendBasicAck(acks, channelID, ack.DeliveryTag, ack.Multiple), nil
}
