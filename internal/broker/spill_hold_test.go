package broker

import (
	"testing"

	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/message"
	"github.com/warrenmq/warren/internal/queue"
)

// TestWhatIsBeingSpilledIsHeld: a queue may let a message go while it is written to a spill file.
func TestWhatIsBeingSpilledIsHeld(t *testing.T) {
	c, pool := counted(open(t, disk.NewMemory()))
	q := c.declare("q", false)
	var messages []message.Message
	for range fewMessages {
		messages = append(messages, c.message("", "q", string(make([]byte, fullBody)), false))
	}
	c.fill("", "elsewhere", 10, false) // the last chunk of the messages is left
	before := pool.count()
	for i := range messages {
		c.batch.spill(q, &queue.Effect{Seq: uint64(i + 1), Message: messages[i]})
		messages[i].Release() // as the queue does
	}
	if n := pool.count() - before; n != 0 {
		t.Errorf("%d chunks came back before what is in them was written", n)
	}
	c.batch.spillAll()
	if n := pool.count() - before; n < fewChunks {
		t.Errorf("%d chunks came back, want at least %d", n, fewChunks)
	}
}
