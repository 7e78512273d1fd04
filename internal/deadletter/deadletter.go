// Package deadletter makes dead letters of messages that a queue let go unread: with the history of
// their deaths in header x-death, where they are addressed to, and the rule that ends cycles.
//
// Floor 2: pure rules. The queue says which message died and why; the broker asks here what
// becomes of it, routes it and publishes it.
package deadletter

import (
	"fmt"
	"math"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

// Death is how a message died, and where it goes.
type Death struct {
	// Queue is the name of the queue it died in.
	Queue string
	// Reason is "rejected", "expired", "maxlen" or "delivery_limit".
	Reason string
	// At is the time of the death.
	At amqp.Timestamp
	// Exchange is the dead letter exchange.
	Exchange string
	// Key is the routing key that the letter gets if HasKey; else it keeps that of the message.
	Key    string
	HasKey bool
}

// rejected is the reason that a client brings about: a cycle with one in it ends by itself.
const rejected = "rejected"

// Headers of dead letters, as RabbitMQ has them.
const (
	deathHeader = "x-death"
	ccHeader    = "CC"
)

// Writer makes dead letters. It keeps its memory from letter to letter; it belongs to one
// goroutine. The zero Writer is ready.
type Writer struct {
	builder             message.Builder
	headers, properties []byte
	deaths, entry, keys []byte
}

// HeadersMax is the size in bytes of the largest headers of a letter. Each queue where a message
// dies adds an element to x-death, which has all keys of the message.
const HeadersMax = 1 << 20

// keptMax is how many bytes a writer keeps of each piece of memory it worked with.
const keptMax = 64 << 10

// Write makes the dead letter of a message, which the caller holds; the message stays as it is. It
// fails when the letter would be larger than a message may be, or its headers than HeadersMax.
func (w *Writer) Write(a *message.Arena, m *message.Message, d *Death) (message.Message, error) {
	old := m.Properties()
	defer w.trim()
	w.headers = w.appendHeaders(w.headers[:0], m, old.Headers(), d)
	if n := len(w.headers); n > HeadersMax {
		return message.Message{}, fmt.Errorf("deadletter: headers of %d bytes, at most %d", n,
			HeadersMax)
	}
	edit := amqp.Edit{SetHeaders: true, Headers: w.headers, DropExpiration: true}
	w.properties = old.AppendEdited(w.properties[:0], &edit)
	key := m.RoutingKey()
	if d.HasKey {
		key = append(w.keys[:0], d.Key...)
		w.keys = key
	}
	exchange := append(w.entry[:0], d.Exchange...)
	w.entry = exchange
	body := m.Body()
	err := w.builder.Begin(a, exchange, key, w.properties, uint64(len(body)))
	if err != nil {
		return message.Message{}, err
	}
	w.builder.Append(body)
	return w.builder.Done(), nil
}

// trim lets go of memory that has become large.
func (w *Writer) trim() {
	for _, piece := range []*[]byte{&w.headers, &w.properties, &w.deaths, &w.entry, &w.keys} {
		if cap(*piece) > keptMax {
			*piece = nil
		}
	}
}

// appendHeaders appends the headers of a letter: those of the message, with the death in x-death,
// where the last one comes first.
func (w *Writer) appendHeaders(
	dst amqp.Table, m *message.Message, old amqp.Table, d *Death,
) amqp.Table {
	was, died := old.Lookup(deathHeader)
	var names [8]string
	dropped := append(names[:0], deathHeader, "x-last-death-exchange", "x-last-death-queue",
		"x-last-death-reason")
	if !died {
		dropped = append(dropped, "x-first-death-exchange", "x-first-death-queue",
			"x-first-death-reason")
	}
	if d.HasKey { // the other keys meant the exchange it came from
		dropped = append(dropped, ccHeader)
	}
	dst = dst.AppendWithout(old, dropped...)
	w.deaths = w.appendDeaths(w.deaths[:0], m, old, was, d)
	dst = dst.AppendField(deathHeader, amqp.Value{Type: amqp.TypeArray, Data: w.deaths})
	if !died {
		dst = dst.AppendField("x-first-death-exchange", text(m.Exchange())).
			AppendText("x-first-death-queue", d.Queue).
			AppendText("x-first-death-reason", d.Reason)
	}
	return dst.AppendField("x-last-death-exchange", text(m.Exchange())).
		AppendText("x-last-death-queue", d.Queue).
		AppendText("x-last-death-reason", d.Reason)
}

// appendDeaths appends the elements of x-death: first this death, counted with earlier ones of its
// queue and reason, then the others. What is no array was written by a client, and begins anew.
func (w *Writer) appendDeaths(
	dst []byte, m *message.Message, headers amqp.Table, was amqp.Value, d *Death,
) []byte {
	var same amqp.Table
	others := 0
	if was.Type == amqp.TypeArray {
		was.Each(func(v amqp.Value) bool {
			if t, ok := v.Table(); ok && same == nil && isOf(t, d.Queue, d.Reason) {
				same = t
			}
			others++
			return true
		})
	}
	w.entry = w.appendDeath(w.entry[:0], m, headers, same, d)
	dst = amqp.AppendElement(dst, amqp.Value{Type: amqp.TypeTable, Data: w.entry})
	if others == 0 {
		return dst
	}
	was.Each(func(v amqp.Value) bool {
		if t, ok := v.Table(); !ok || !isOf(t, d.Queue, d.Reason) {
			dst = amqp.AppendElement(dst, v)
		}
		return true
	})
	return dst
}

// appendDeath appends the table of one death. One that repeats an earlier one only counts it: when,
// and with what keys, is told of the first.
func (w *Writer) appendDeath(
	dst amqp.Table, m *message.Message, headers, same amqp.Table, d *Death,
) amqp.Table {
	if same != nil {
		v, _ := same.Lookup("count")
		count, _ := v.Int64()
		count = min(count, math.MaxInt64-1) // who wrote it may have been a client
		return dst.AppendInt64("count", count+1).AppendWithout(same, "count")
	}
	dst = dst.AppendInt64("count", 1).AppendField("exchange", text(m.Exchange())).
		AppendText("queue", d.Queue).AppendText("reason", d.Reason)
	w.keys = amqp.AppendElement(w.keys[:0], text(m.RoutingKey()))
	EachKey(headers, func(key []byte) { w.keys = amqp.AppendElement(w.keys, text(key)) })
	dst = dst.AppendField("routing-keys", amqp.Value{Type: amqp.TypeArray, Data: w.keys}).
		AppendTimestamp("time", d.At)
	if ttl, ok := m.Properties().Expiration(); ok {
		dst = dst.AppendField("original-expiration", text(ttl))
	}
	return dst
}

func text(b []byte) amqp.Value { return amqp.Value{Type: amqp.TypeText, Data: b} }

// EachKey calls f with the keys of header CC, with which a letter goes on if it has no key of its
// own: valid until the headers change.
func EachKey(headers amqp.Table, f func(key []byte)) {
	v, ok := headers.Lookup(ccHeader)
	if !ok || v.Type != amqp.TypeArray {
		return
	}
	v.Each(func(v amqp.Value) bool {
		if key, ok := v.Text(); ok {
			f(key)
		}
		return true
	})
}

// isOf tells whether a table of x-death is about a queue and a reason.
func isOf(t amqp.Table, queue, reason string) bool {
	return isText(t, "queue", queue) && isText(t, "reason", reason)
}

func isText(t amqp.Table, key, want string) bool {
	v, _ := t.Lookup(key)
	text, ok := v.Text()
	return ok && string(text) == want
}

// HasDied tells whether a message is a dead letter, or says so.
func HasDied(m *message.Message) bool {
	_, died := m.Properties().Headers().Lookup(deathHeader)
	return died
}

// Cycles tells whether a letter must not go to a queue: it has died there before, and none of its
// deaths since then, that one included, was a rejection, so that it would go round for ever. Who
// writes into x-death what is no table is a client, and no cycle is without one then.
func Cycles(headers amqp.Table, reason, queue string) bool {
	cycles := false
	EachCycle(headers, reason, func(other []byte) bool {
		cycles = string(other) == queue
		return !cycles
	})
	return cycles
}

// EachCycle calls f with the names of the queues to which a letter must not go, some of them
// several times, until f returns false. They are valid until the headers change.
func EachCycle(headers amqp.Table, reason string, f func(queue []byte) bool) {
	if reason == rejected {
		return
	}
	deaths, ok := headers.Lookup(deathHeader)
	if !ok || deaths.Type != amqp.TypeArray {
		return
	}
	deaths.Each(func(v amqp.Value) bool {
		t, ok := v.Table()
		if !ok || isText(t, "reason", rejected) {
			return false
		}
		name, _ := t.Lookup("queue")
		if text, ok := name.Text(); ok {
			return f(text)
		}
		return true
	})
}
