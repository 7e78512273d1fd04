package amqp091

import (
	"encoding/binary"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// copiesKeep is the size in bytes of the largest piece of memory that a channel keeps of what the
// last message had of further keys.
const copiesKeep = 4 << 10

// copies is what a publish wants beyond its routing key: further keys, which its headers CC and
// BCC list, and answers. A message that wants none of it leaves it untouched.
type copies struct {
	// keys are all routing keys, the message's own first; empty when there is no other.
	keys [][]byte
	text []byte // what keys alias
	// plain and edited are memory for the properties without BCC, and with another reply-to.
	plain, edited []byte
	// wrong is what is wrong with the headers, nil for nothing.
	wrong *amqp.Error
	// noReplier: answers are wanted, and nobody would get them.
	noReplier bool
	used      bool // one of the above is set
}

// reset forgets the last message.
func (c *copies) reset() {
	if !c.used {
		return
	}
	most := max(cap(c.keys), cap(c.text), cap(c.plain), cap(c.edited))
	*c = copies{keys: c.keys[:0], text: c.text[:0], plain: c.plain[:0], edited: c.edited[:0]}
	if most > copiesKeep {
		*c = copies{}
	}
}

// Headers with further routing keys. Those of the second are not told to who gets the message.
const (
	ccHeader  = "CC"
	bccHeader = "BCC"
)

// special looks for what makes a publish special, and returns the properties with which the message
// goes on. They may alias memory of the channel.
func (ch *Channel) special(props amqp.RawProperties) amqp.RawProperties {
	flags := binary.BigEndian.Uint16(props)
	if flags&flagHeaders != 0 {
		props = ch.furtherKeys(props)
	}
	if flags&flagReplyTo != 0 {
		props = ch.wantsReplies(props)
	}
	return props
}

// furtherKeys reads the headers CC and BCC, and takes the second out.
func (ch *Channel) furtherKeys(props amqp.RawProperties) amqp.RawProperties {
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
		return props
	}
	c := &ch.content.copies
	c.used = true
	if c.wrong = checkKeys(ccHeader, cc); c.wrong == nil {
		c.wrong = checkKeys(bccHeader, bcc)
	}
	if c.wrong != nil {
		return props
	}
	c.add(ch.content.key)
	c.addAll(cc)
	c.addAll(bcc)
	if bcc.Type != 0 {
		c.plain = props.AppendEdited(c.plain[:0], &amqp.Edit{DropHeader: bccHeader})
		props = c.plain
	}
	return props
}

// checkKeys refuses a header that is no array, in RabbitMQ's words.
func checkKeys(header string, v amqp.Value) *amqp.Error {
	if v.Type == 0 || v.Type == amqp.TypeArray {
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed,
		`invalid message: {unacceptable_type_in_header,"%s",%s}`, header, exchange.TermType(v))
}

func (c *copies) add(key []byte) {
	from := len(c.text)
	c.text = append(c.text, key...)
	c.keys = append(c.keys, c.text[from:])
}

// addAll adds those elements that are texts.
func (c *copies) addAll(v amqp.Value) {
	v.Each(func(element amqp.Value) bool {
		if key, ok := element.Text(); ok {
			c.add(key)
		}
		return true
	})
}
