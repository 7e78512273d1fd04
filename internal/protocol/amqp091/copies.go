package amqp091

import (
	"encoding/binary"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
)

// copies is what a publish wants beyond its routing key: further keys, which its headers CC and
// BCC list, and answers. A message that wants none of it leaves it untouched.
type copies struct {
	further broker.Copies
	edited  []byte // memory for the properties with another reply-to
	// noReplier: answers are wanted, and nobody would get them.
	noReplier bool
	used      bool // one of the above is set
}

// editedKeep is the size in bytes of the largest edited that a channel keeps.
const editedKeep = 4 << 10

// reset forgets the last message.
func (c *copies) reset() {
	if !c.used {
		return
	}
	c.further.Reset()
	c.edited, c.noReplier, c.used = c.edited[:0], false, false
	if cap(c.edited) > editedKeep {
		c.edited = nil
	}
}

// special looks for what makes a publish special, and returns the properties with which the message
// goes on. They may alias memory of the channel.
func (ch *Channel) special(props amqp.RawProperties) amqp.RawProperties {
	flags := binary.BigEndian.Uint16(props)
	if flags&flagHeaders != 0 {
		c := &ch.content.copies
		further, used := c.further.Read(ch.content.key, props)
		props, c.used = further, c.used || used
	}
	if flags&flagReplyTo != 0 {
		props = ch.wantsReplies(props)
	}
	return props
}
