package amqp091

import (
	"math"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/store"
)

// TestTheLargestMessageFitsIntoTheLog, with the longest names and the longest properties: the
// log does not take more.
func TestTheLargestMessageFitsIntoTheLog(t *testing.T) {
	o := Options{MessageMax: math.MaxUint64, FrameMax: math.MaxUint32}.withDefaults()
	most := message.HeadMax + 2*amqp.ShortStrMax + uint64(o.FrameMax) + o.MessageMax
	if most > store.MessageBytesMax {
		t.Errorf("a message may have %d bytes, the log takes %d", most, store.MessageBytesMax)
	}
	small := Options{MessageMax: 10, FrameMax: 8192}.withDefaults()
	if small.MessageMax != 10 || small.FrameMax != 8192 {
		t.Errorf("small limits became %+v", small)
	}
}

// TestTransactionsAreBounded reaches transactionBytesMax and transactionEntriesMax.
func TestTransactionsAreBounded(t *testing.T) {
	tx := transaction{bytes: transactionBytesMax}
	publish := func() *amqp.Error {
		return tx.publish(&broker.RouteCache{}, &broker.Route{}, message.Message{}, false, nil)
	}
	if err := publish(); err != nil {
		t.Errorf("at the limit of bytes: %v", err)
	}
	tx.bytes++
	if err := publish(); err == nil || err.Code != amqp.ResourceError {
		t.Errorf("above the limit of bytes: %v", err)
	}
	tx = transaction{publishes: make([]heldPublish, transactionEntriesMax-1)}
	if err := publish(); err != nil {
		t.Errorf("at the limit of entries: %v", err)
	}
	if err := publish(); err == nil || err.Code != amqp.ResourceError {
		t.Errorf("above the limit of entries: %v", err)
	}
}
