package broker

import (
	"strconv"
	"testing"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// fanOut declares a fanout exchange with durable and other queues behind it.
func fanOut(c *client, durable, transient int) (logged, light []*Queue) {
	c.t.Helper()
	c.declareExchange(definition.Exchange{Name: "all", Type: "fanout", Durable: true})
	for i := range durable {
		logged = append(logged, c.declare("durable"+strconv.Itoa(i), true))
		c.bind("all", logged[i].Name(), "")
	}
	for i := range transient {
		light = append(light, c.declare("transient"+strconv.Itoa(i), false))
		c.bind("all", light[i].Name(), "")
	}
	return logged, light
}

func TestAFanOutIsOneRecordInTheLog(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	logged, light := fanOut(c, 5, 3)
	before := h.store.Stats()
	c.stable(c.publish("all", "", "to all", true))
	after := h.store.Stats()
	if n := after.Records - before.Records; n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	if after.Unsettled != len(logged) {
		t.Errorf("%d unsettled, want one for each of %d queues", after.Unsettled, len(logged))
	}
	for _, q := range append(logged, light...) {
		equal(t, q.Name(), c.bodies(q), "to all")
	}
}

func TestWhatNeedNotSurviveIsNotLogged(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	fanOut(c, 1, 1)
	mine := c.declareQueue(definition.Queue{Name: "mine", Durable: true, Exclusive: true})
	before := h.store.Stats().Records
	for i, lsn := range []store.LSN{
		c.publish("all", "", "transient", false),
		c.publish("", "transient0", "persistent", true),
		c.publish("", mine.Name(), "persistent", true),
		c.publish("", "nowhere", "persistent", true),
	} {
		if lsn != 0 {
			t.Errorf("message %d has the position %d, but is not logged", i, lsn)
		}
	}
	if n := h.store.Stats().Records - before; n != 0 {
		t.Errorf("%d records", n)
	}
}

// TestEveryWayOutIsLogged: whichever way a message leaves a queue for ever, the log forgets it.
func TestEveryWayOutIsLogged(t *testing.T) {
	take := func(c *client, q *Queue, kind queue.Kind) {
		c.batch.Do(q, queue.Command{
			Kind: queue.Get, Consumer: &queue.Consumer{Owner: &c.inbox},
		})
		c.batch.Do(q, queue.Command{Kind: kind, Seq: c.inbox.take()[0].seq})
	}
	ways := map[string]func(c *client, q *Queue){
		"ack":    func(c *client, q *Queue) { take(c, q, queue.Ack) },
		"reject": func(c *client, q *Queue) { take(c, q, queue.Discard) },
		"get without ack": func(c *client, q *Queue) {
			c.batch.Do(q, queue.Command{
				Kind: queue.Get, Consumer: &queue.Consumer{Owner: &c.inbox, NoAck: true},
			})
		},
		"consumer without ack": func(c *client, q *Queue) {
			c.consume(q, queue.Consumer{NoAck: true})
		},
		"purge": func(c *client, q *Queue) {
			if n, err := c.PurgeQueue(c.batch, q.Name()); n != 1 || err != nil {
				c.t.Errorf("purged %d, %v", n, err)
			}
		},
		"delete": func(c *client, q *Queue) {
			c.must(c.DeleteQueue(c.batch, q.Name(), false, false, func(int) {}))
		},
		"delete while unacknowledged": func(c *client, q *Queue) {
			c.get(q)
			c.must(c.DeleteQueue(c.batch, q.Name(), false, false, func(int) {}))
		},
	}
	for name, leave := range ways {
		t.Run(name, func(t *testing.T) {
			fs := disk.NewMemory()
			h := open(t, fs)
			c := h.guest()
			q := c.declare("q", true)
			c.stable(c.publish("", "q", "x", true))
			if n := h.store.Stats().Unsettled; n != 1 {
				t.Fatalf("%d unsettled after the publish", n)
			}
			leave(c, q)
			if n := h.store.Stats().Unsettled; n != 0 {
				t.Errorf("%d unsettled after the message left", n)
			}
			h.shut()
			again := open(t, fs)
			if q, err := again.guest().CheckQueue("q"); err == nil && q.Stats().Ready != 0 {
				t.Error("the message came back")
			}
		})
	}
}

// TestAShortcutToAWaitingConsumerIsLoggedToo: a message that is delivered as it comes is never
// stored in its queue.
func TestAShortcutToAWaitingConsumerIsLoggedToo(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declare("q", true)
	c.consume(q, queue.Consumer{NoAck: true})
	c.stable(c.publish("", "q", "x", true))
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d unsettled", n)
	}
	if s := q.Stats(); s.Published != 1 || s.Delivered != 1 || s.Bytes != 0 {
		t.Errorf("counted %+v", s)
	}
}

func TestReceiversAreFlushedOnceForABatch(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, consumer := h.guest(), h.guest()
	var queues []*Queue
	for i := range 3 {
		q := c.declare("q"+strconv.Itoa(i), false)
		queues = append(queues, q)
		consumer.consume(q, queue.Consumer{Tag: q.Name(), NoAck: true})
	}
	consumer.inbox.take()
	consumer.inbox.flushes = 0
	for range 10 {
		for _, q := range queues {
			c.batch.Add(q, queue.Command{
				Kind: queue.Enqueue, Message: c.message("", q.Name(), "x", false),
			})
		}
	}
	c.batch.Run()
	if n := len(consumer.inbox.take()); n != 30 || consumer.inbox.flushes != 1 {
		t.Errorf("%d deliveries in %d flushes", n, consumer.inbox.flushes)
	}
}

// TestALongQueueReachesAFastConsumerWhole needs several turns of the queue's machine.
func TestALongQueueReachesAFastConsumerWhole(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declare("q", true)
	const messages = 3*queue.DeliveriesMax + 1
	for i := range messages {
		c.publish("", "q", strconv.Itoa(i), i%2 == 0)
	}
	c.consume(q, queue.Consumer{NoAck: true})
	for i, e := range c.inbox.take()[1:] {
		if e.body != strconv.Itoa(i) {
			t.Fatalf("delivery %d is %q", i, e.body)
		}
	}
	if s := q.Stats(); s.Ready != 0 || s.Delivered != messages {
		t.Errorf("in the end %+v", s)
	}
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d unsettled", n)
	}
}
