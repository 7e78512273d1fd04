package amqp091

import (
	"errors"
	"os"
	"time"

	"github.com/warrenmq/warren/internal/wheel"
)

// Force implements broker.Forced.
func (c *Connection) Force(reason string) { c.evict(reason) }

// evict closes the connection with CONNECTION_FORCED and a reason, and does not wait for that. What
// the connection has of the broker is given back at once, not when the client has answered, for
// which it has closeTimeout. It may be called from any goroutine.
func (c *Connection) evict(reason string) {
	c.force(reason)
	c.evicted.Store(true)
	_ = c.conn.SetReadDeadline(time.Now())
	// The reader may wait for something else than the client.
	c.options.Timers.AfterCoarse(closeTimeout, wheel.TaskFunc(c.out.fail))
}

// wokenToLeave is asked when a read has failed. If that was to wake the reader since the client has
// been told to go, it gives back what the connection has, and waits for the answer.
func (c *Connection) wokenToLeave(err error) bool {
	if c.state < running || !errors.Is(err, os.ErrDeadlineExceeded) || !c.evicted.Swap(false) {
		return false
	}
	if c.state == running {
		c.busy()
		c.leave()
		c.become(closing)
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	return true
}
