package queue

import (
	"testing"

	"github.com/cockroachdb/datadriven"
)

// storySettings returns what a line of configure asks for.
func storySettings(t *testing.T, d *datadriven.TestData) Settings {
	s := Plain()
	for name, to := range map[string]*int64{
		"ttl": &s.MessageTTL, "expires": &s.Expires, "max-length": &s.MaxLength,
		"max-bytes": &s.MaxBytes, "delivery-limit": &s.DeliveryLimit,
		"consumer-timeout": &s.ConsumerTimeout,
	} {
		d.MaybeScanArgs(t, name, to)
	}
	var overflow, dead string
	var priority int
	d.MaybeScanArgs(t, "overflow", &overflow)
	d.MaybeScanArgs(t, "dead", &dead)
	d.MaybeScanArgs(t, "max-priority", &priority)
	s.Overflow = map[string]Overflow{
		"reject": RejectPublish, "reject-dead": RejectPublishDeadLetter,
	}[overflow]
	s.DeadLetters = map[string]DeadLetters{"once": AtMostOnce, "least": AtLeastOnce}[dead]
	s.MaxPriority = uint8(priority)
	s.SingleActive = d.HasArg("single")
	s.CountsDeliveries = d.HasArg("counts")
	return s
}

// storyProperties returns the properties that a line gives a message.
func storyProperties(t *testing.T, d *datadriven.TestData) []byte {
	var priority int
	var expiration string
	hasPriority := d.MaybeScanArgs(t, "priority", &priority)
	expires := d.MaybeScanArgs(t, "expiration", &expiration)
	return testProperties(expiration, expires, uint8(priority), hasPriority)
}

// testProperties returns a property list with a priority, an expiration, both or none.
func testProperties(expiration string, expires bool, priority uint8, hasPriority bool) []byte {
	if !expires && !hasPriority {
		return nil
	}
	list := []byte{0, 0}
	if hasPriority {
		list[0] |= 0x08
		list = append(list, priority)
	}
	if expires {
		list[0] |= 0x01
		list = append(list, byte(len(expiration)))
		list = append(list, expiration...)
	}
	return list
}

func storyDead(e *Effect, name string) storyLine {
	reasons := map[Reason]string{
		Expired: "expired", MaxLen: "maxlen", Rejected: "rejected",
		DeliveryLimit: "delivery limit",
	}
	line := storyLine{"dead, " + reasons[e.Reason], ": " + name}
	if e.Stored {
		line.likeness += ", stored"
	}
	if e.Kept() {
		line.likeness += ", kept"
	}
	return line
}
