package broker

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/queue"
	"github.com/warrenmq/warren/internal/store"
)

// TestPublishToAQueueJustDeletedLeavesNothingInTheLog has a publisher hold the route of a queue
// over its end, as happens when both race.
func TestPublishToAQueueJustDeletedLeavesNothingInTheLog(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.declare("q", true)
	m := c.message("", "q", "late", true)
	r := c.routes.Route(c.Access, nil, []byte("q"), m.Properties())
	c.must(other.DeleteQueue(other.batch, "q", false, false, func(int) {}))
	lsn := c.batch.Publish(r, m)
	c.batch.Run()
	c.stable(lsn)
	if n := h.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages stay in the log for a queue that is gone", n)
	}
}

// TestMessagesOfQueuesThatAreGoneAreForgottenAtStart has the crash come between the end of a
// queue in the definitions and its end in the log.
func TestMessagesOfQueuesThatAreGoneAreForgottenAtStart(t *testing.T) {
	fs := disk.NewMemory()
	s, err := store.Open(store.Options{Dir: "data", FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	const gone = 7
	h := &client{t: t}
	m := h.message("", "q", "orphan", true)
	s.Publish([]*store.Queue{s.OpenQueue(gone)}, []uint64{0}, m.AppendHead(nil, 0), m.Bytes())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	house := open(t, fs)
	if n := house.store.Stats().Unsettled; n != 0 {
		t.Errorf("%d messages of queues that are gone stay in the log", n)
	}
	if q := house.guest().declare("q", true); q.Definition.ID <= gone {
		t.Errorf("a new queue has the id %d, which another had", q.Definition.ID)
	}
	house.shut()
	q, checkErr := open(t, fs).guest().CheckQueue("q")
	if checkErr != nil {
		t.Fatal(checkErr)
	}
	if n := q.Stats().Ready; n != 0 {
		t.Errorf("%d messages came back into a queue that never had them", n)
	}
}

// TestAQueueThatEndedAnswersNotFound has a client hold a queue over its end.
func TestAQueueThatEndedAnswersNotFound(t *testing.T) {
	for name, kind := range map[string]queue.Kind{"consume": queue.Subscribe, "get": queue.Get} {
		t.Run(name, func(t *testing.T) {
			h := open(t, disk.NewMemory())
			c, other := h.guest(), h.guest()
			q := c.declare("q", false)
			c.must(other.DeleteQueue(other.batch, "q", false, false, func(int) {}))
			err := c.Ask(c.batch, q, queue.Command{
				Kind: kind, Consumer: &queue.Consumer{Owner: &c.inbox},
			})
			want := "NOT_FOUND - no queue 'q' in vhost '/'"
			if err == nil || err.Code != amqp.NotFound || err.Text != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestAnUnusedQueueThatIsEndingTakesNoConsumer has the consumer come between the decision to
// delete an unused queue and its end.
func TestAnUnusedQueueThatIsEndingTakesNoConsumer(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	q := c.declareQueue(definition.Queue{Name: "q", AutoDelete: true})
	var late *amqp.Error
	other.must(other.DeleteQueue(other.batch, "q", true, false, func(int) {
		late = c.Ask(c.batch, q, queue.Command{
			Kind: queue.Subscribe, Consumer: &queue.Consumer{Owner: &c.inbox},
		})
	}))
	if late == nil || late.Code != amqp.NotFound {
		t.Errorf("the late consumer was told %v", late)
	}
	if events := c.inbox.take(); len(events) != 0 {
		t.Errorf("the late consumer received %+v", events)
	}
}

func TestAConsumerKeepsAnAutoDeleteQueueThatWasUnusedForAMoment(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	q := c.declareQueue(definition.Queue{Name: "q", AutoDelete: true})
	c.consume(q, queue.Consumer{Tag: "a"})
	q.vhost.deleteUnused(c.batch, q) // the word of it comes when "a" is there already
	if _, err := c.CheckQueue("q"); err != nil {
		t.Error(err)
	}
}

// TestExclusiveQueuesAreForgottenOneByOne is how many clients use reply queues.
func TestExclusiveQueuesAreForgottenOneByOne(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	for range 100 {
		q := c.declareQueue(definition.Queue{Exclusive: true})
		c.must(c.DeleteQueue(c.batch, q.Name(), false, false, func(int) {}))
	}
	if n := len(c.vhost.exclusive[c.id]); n != 0 {
		t.Errorf("%d queues are remembered that are gone", n)
	}
}

func TestExclusiveQueuesEndWithTheirConnection(t *testing.T) {
	h := open(t, disk.NewMemory())
	c, other := h.guest(), h.guest()
	c.declareQueue(definition.Queue{Name: "mine", Exclusive: true})
	if _, err := other.CheckQueue("mine"); err == nil || err.Code != amqp.ResourceLocked {
		t.Errorf("another connection was told %v", err)
	}
	c.Close(c.batch)
	if _, err := other.CheckQueue("mine"); err == nil || err.Code != amqp.NotFound {
		t.Errorf("after the end another connection was told %v", err)
	}
	if n := len(h.VHost("/").exclusive); n != 0 {
		t.Errorf("%d owners are remembered", n)
	}
}
