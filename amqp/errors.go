package amqp

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is a mistake of a peer, or a refusal, with the reply code and reply text that
// connection.close or channel.close carry.
type Error struct {
	// Code is a reply code of the specification, such as NotFound.
	Code uint16
	// Text is the whole reply text, such as "NOT_FOUND - no queue 'q' in vhost '/'": at most
	// ShortStrMax bytes when made by NewError.
	Text string
	// Method is the method that failed, 0 when it was none or the frame names none.
	Method MethodID
}

// NewError returns an error whose text is the name of the code, " - " and the message. Like
// RabbitMQ, it ends a text that does not fit into a reply text in "...". Without a format the
// text is the name alone.
func NewError(code uint16, format string, args ...any) *Error {
	text := fmt.Sprintf(format, args...)
	switch name := replyName(code); {
	case format == "":
		text = name
	case name != "":
		text = name + " - " + text
	}
	if len(text) > ShortStrMax {
		const more = "..."
		text = cutText(text, ShortStrMax-len(more)) + more
	}
	return &Error{Code: code, Text: text}
}

// Error returns the reply text and the code: for logs, not for the wire.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Text, e.Code) }

// Hard tells whether the connection closes; after a soft error only the channel does.
func (e *Error) Hard() bool { return !softReply(e.Code) }

// decodeError says that the arguments of a method cannot be read, in RabbitMQ's words.
func decodeError(id MethodID, args []byte) error {
	err := NewError(FrameError, "cannot decode %s", octets(args))
	err.Method = id
	return err
}

// UnexpectedFrameError is the answer to a frame that may not stand on its channel, in RabbitMQ's
// words.
func UnexpectedFrameError(f *Frame) *Error {
	return NewError(UnexpectedFrame, "type %d, %s", f.Type, printed(f.Payload))
}

// printedMax is how much of a frame reply texts show.
const printedMax = 16

// printed writes bytes as reply texts show the content of frames: as text when all of it can be
// printed, <<"hello">>, else as octets, and no more than the beginning.
func printed(b []byte) string {
	which := "all octets = "
	if len(b) > printedMax {
		which, b = fmt.Sprintf("first %d octets = ", printedMax), b[:printedMax]
	}
	for _, octet := range b {
		if !strings.ContainsRune("\b\t\n\v\f\r", rune(octet)) && (octet < ' ' || octet > '~') {
			return which + octets(b)
		}
	}
	if len(b) == 0 {
		return which + octets(b)
	}
	return which + "<<" + strconv.Quote(string(b)) + ">>"
}

// octets writes bytes as reply texts show arguments, <<0,60>>, and no more of them than a reply
// text has room for.
func octets(b []byte) string {
	var text strings.Builder
	text.WriteString("<<")
	for i, octet := range b {
		if text.Len() > ShortStrMax {
			break // NewError cuts the text before this
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(strconv.Itoa(int(octet)))
	}
	text.WriteString(">>")
	return text.String()
}
