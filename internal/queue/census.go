package queue

import "github.com/warrenmq/warren/internal/message"

// Census says how the messages of a queue are spread. The unacknowledged ones are all in memory.
type Census struct {
	// ReadyBytes is the size of the ready messages, wherever they are.
	ReadyBytes int
	// ReadyInMemory are the ready messages in memory, of ReadyBytesInMemory bytes.
	ReadyInMemory, ReadyBytesInMemory int
}

// Census counts. It takes longer the more ranges of messages are out of memory, which are few.
func (q *Queue) Census() Census {
	out, outBytes := 0, 0
	for i := range q.out.ranges {
		out += q.out.ranges[i].Count
		outBytes += int(q.out.ranges[i].Bytes)
	}
	c := Census{ReadyInMemory: q.ready - out}
	c.ReadyBytesInMemory = q.resident - c.ReadyInMemory*MessageOverhead
	c.ReadyBytes = c.ReadyBytesInMemory + outBytes
	return c
}

// Head returns the message that would be delivered next, nil if none is ready or it is not in
// memory. It is valid until the next Apply.
func (q *Queue) Head() *message.Message {
	if q.ready == 0 {
		return nil
	}
	if _, s := q.head(); s != nil {
		return &s.message
	}
	return nil
}

// Idles reports whether a message that came now would be delivered at once: a consumer is ready to
// take it.
func (q *Queue) Idles() bool { return q.waiting.len() > 0 }
