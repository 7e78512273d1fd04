package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

// journal collects what a change of definitions brings about: the commands that go to the
// definitions journal, and what has to be there before the change may be confirmed.
type journal struct {
	records  [][]byte
	subjects []string
	waits    []*writing
	rerouted bool // remembered routes may be stale
}

func (j *journal) add(c definition.Command) {
	j.records = append(j.records, c.AppendTo(nil))
	if s := subject(&c); s != "" {
		j.subjects = append(j.subjects, s)
	}
}

// await makes the change wait for what others are writing about the same as c: it found things
// as it wants them, and they must not be otherwise after a crash.
func (j *journal) await(v *VHost, c definition.Command) {
	if w := v.writingOf(&c); w != nil {
		j.waits = append(j.waits, w)
	}
}

// wait returns when what was waited for is on stable storage.
func (j *journal) wait() *amqp.Error {
	for _, w := range j.waits {
		if err := w.wait(); err != nil {
			return err
		}
	}
	return nil
}

// writing is a change on its way to the disk. nil is one that is there.
type writing struct {
	done chan struct{} // closed after err is set
	err  *amqp.Error
}

func (w *writing) wait() *amqp.Error {
	if w == nil {
		return nil
	}
	<-w.done
	return w.err
}

// subject names what a command declares or deletes, the same for both; "" for what is not found
// in a vhost.
func subject(c *definition.Command) string {
	switch c.Kind {
	case definition.DeclareExchangeKind, definition.DeleteExchangeKind:
		return "x" + c.Exchange.Name
	case definition.DeclareQueueKind, definition.DeleteQueueKind:
		return "q" + c.Queue.Name
	case definition.BindKind, definition.UnbindKind:
		b := c.Binding
		b.Arguments = exchange.SortArguments(b.Arguments)
		twin := definition.Command{Kind: definition.BindKind, Binding: b}
		return "b" + string(twin.AppendTo(nil))
	}
	return ""
}

// writingOf returns what somebody is writing at this moment about the same as c; v.mu is held.
func (v *VHost) writingOf(c *definition.Command) *writing {
	if len(v.writing) == 0 {
		return nil
	}
	return v.writing[subject(c)]
}

// write notes what a change is about to write; v.mu is held. There is one for each caller that
// waits for the disk, so they are no more than connections.
func (v *VHost) write(log *journal) *writing {
	if len(log.records) == 0 {
		return nil
	}
	w := &writing{done: make(chan struct{})}
	for _, s := range log.subjects {
		v.writing[s] = w // which an earlier one cannot outlast: the journal has an order
	}
	return w
}

// wrote tells those who wait for w.
func (v *VHost) wrote(log *journal, w *writing, err *amqp.Error) {
	if w == nil {
		return
	}
	w.err = err
	close(w.done)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range log.subjects {
		if v.writing[s] == w {
			delete(v.writing, s)
		}
	}
}
