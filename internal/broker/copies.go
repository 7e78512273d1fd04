package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// copiesKeep is the size in bytes of the largest piece of memory that Copies keep for the next
// message.
const copiesKeep = 4 << 10

// Headers with further routing keys. Those of the second are not told to who gets the message.
const (
	ccHeader  = "CC"
	bccHeader = "BCC"
)

// Copies are the further routing keys of a message, which its headers CC and BCC list. The zero
// value is ready, and used for one message after the other.
type Copies struct {
	// Keys are all routing keys, the message's own first; empty when there is no other.
	Keys [][]byte
	// Wrong is what is wrong with the headers, nil for nothing.
	Wrong *amqp.Error

	text  []byte // what keys alias
	plain []byte // memory for the properties without BCC
}

// Reset forgets the last message.
func (c *Copies) Reset() {
	if max(cap(c.Keys), cap(c.text), cap(c.plain)) > copiesKeep {
		*c = Copies{}
	}
	*c = Copies{Keys: c.Keys[:0], text: c.text[:0], plain: c.plain[:0]}
}

// Read reads the headers of a message with a routing key, and returns the properties with which it
// goes on, without BCC: they may alias memory of c. It reports false, and nothing has changed, when
// the message has no such headers.
func (c *Copies) Read(key []byte, props amqp.RawProperties) (_ amqp.RawProperties, used bool) {
	var cc, bcc amqp.Value
	props.Headers().Each(func(key []byte, v amqp.Value) bool {
		switch {
		case len(key) > len(bccHeader):
		case string(key) == ccHeader && cc.Type == 0:
			cc = v
		case string(key) == bccHeader && bcc.Type == 0:
			bcc = v
		}
		return true
	})
	if cc.Type == 0 && bcc.Type == 0 {
		return props, false
	}
	if c.Wrong = checkKeys(ccHeader, cc); c.Wrong == nil {
		c.Wrong = checkKeys(bccHeader, bcc)
	}
	if c.Wrong != nil {
		return props, true
	}
	c.add(key)
	c.addAll(cc)
	c.addAll(bcc)
	if bcc.Type != 0 {
		c.plain = props.AppendEdited(c.plain[:0], &amqp.Edit{DropHeader: bccHeader})
		props = c.plain
	}
	return props, true
}

// checkKeys refuses a header that is no array, in RabbitMQ's words.
func checkKeys(header string, v amqp.Value) *amqp.Error {
	if v.Type == 0 || v.Type == amqp.TypeArray {
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed,
		`invalid message: {unacceptable_type_in_header,"%s",%s}`, header, exchange.TermType(v))
}

func (c *Copies) add(key []byte) {
	from := len(c.text)
	c.text = append(c.text, key...)
	c.Keys = append(c.Keys, c.text[from:])
}

// addAll adds those elements that are texts.
func (c *Copies) addAll(v amqp.Value) {
	v.Each(func(element amqp.Value) bool {
		if key, ok := element.Text(); ok {
			c.add(key)
		}
		return true
	})
}
