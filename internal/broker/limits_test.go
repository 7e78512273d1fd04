package broker

import (
	"log/slog"
	"strconv"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/store"
)

// refused fails unless err has this text, "" for none.
func refused(t *testing.T, what string, err *amqp.Error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Text
	}
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func (h *house) tryOpen() *amqp.Error {
	a, err := h.Open("guest", "/")
	if err == nil {
		b := h.NewBatch()
		a.Close(b)
		b.Release()
	}
	return err
}

// TestConnectionsAreLimited by vhost and user; who leaves makes room.
func TestConnectionsAreLimited(t *testing.T) {
	h := open(t, disk.NewMemory())
	v := h.VHost("/")
	c := h.guest()
	const ofVHost = "NOT_ALLOWED - access to vhost '/' refused for user 'guest': " +
		"connection limit (1) is reached"
	const ofUser = "NOT_ALLOWED - connection refused for user 'guest': " +
		"user connection limit (1) is reached"
	h.must(v.PutLimit("max-connections", 1))
	refused(t, "a second in the vhost", h.tryOpen(), ofVHost)
	h.must(v.PutLimit("max-connections", -1))
	refused(t, "no limit", h.tryOpen(), "")
	h.must(h.PutUserLimits("guest", definition.Limits{"max-connections": 1}))
	refused(t, "a second of the user", h.tryOpen(), ofUser)
	c.Close(c.batch)
	c.Close(c.batch) // does not count twice
	refused(t, "after the first has left", h.tryOpen(), "")
	h.must(h.ClearUserLimit("guest", "max-connections"), v.PutLimit("max-connections", 0))
	refused(t, "none at all", h.tryOpen(), "NOT_ALLOWED - access to vhost '/' refused for user "+
		"'guest': connection limit (0) is reached")
	h.must(v.ClearLimit("all"))
	refused(t, "no limits", h.tryOpen(), "")
	if len(h.registry.users) != 0 || v.connections != 0 {
		t.Error("somebody who left is counted")
	}
}

func TestChannelsOfAUserAreLimited(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.must(h.PutUserLimits("guest", definition.Limits{"max-channels": 2}))
	const full = "NOT_ALLOWED - number of channels opened for user 'guest' has reached the " +
		"maximum allowed user limit of (2)"
	a, b := h.guest(), h.guest()
	h.must(a.OpenChannel(), b.OpenChannel())
	refused(t, "a third", a.OpenChannel(), full)
	a.CloseChannel()
	h.must(b.OpenChannel())
	refused(t, "another", a.OpenChannel(), full)
	b.Close(b.batch) // with two
	b.CloseChannel() // counts no more
	h.must(a.OpenChannel(), a.OpenChannel())
	refused(t, "a third", a.OpenChannel(), full)
}

func TestQueuesOfAVHostAreLimited(t *testing.T) {
	h := open(t, disk.NewMemory())
	c := h.guest()
	h.must(h.VHost("/").PutLimit("max-queues", 1))
	c.declare("a", true)
	_, err := c.DeclareQueue(definition.Queue{Name: "b"})
	refused(t, "a second", err, "PRECONDITION_FAILED - cannot declare queue 'b': "+
		"queue limit in vhost '/' (1) is reached")
	c.declare("a", true) // which is there
	h.must(c.DeleteQueue(c.batch, "a", false, false, func(int) {}))
	c.declare("b", true)
}

// limited starts a manager with limits.
func limited(t *testing.T, o Options) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open(store.Options{Dir: "data", FS: disk.NewMemory(), Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	o.Store, o.ExchangeTypes, o.Logger = s, exchange.Standard(), log
	o.DefaultUser, o.DefaultPassword, o.NodeName = "guest", "guest", "warren@here"
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return &house{Manager: m, t: t}
}

func TestANodeHasLimits(t *testing.T) {
	predeclared := len(open(t, disk.NewMemory()).VHost("/").definitions.Exchanges())
	h := limited(t, Options{Limits: NodeLimits{
		Connections: 2, Channels: 2, ConsumersPerChannel: 3, Queues: 2,
		Exchanges: 2*predeclared + 1, VHosts: 2,
	}})
	h.vhost("v")
	_, err := h.PutVHost("w")
	refused(t, "vhost", err, "PRECONDITION_FAILED - cannot create vhost 'w': vhost limit of 2 is "+
		"reached")
	h.vhost("v") // is there
	c, other := h.guest(), h.in("guest", "v")
	refused(t, "connection", h.tryOpen(),
		"NOT_ALLOWED - connection refused: node connection limit (2) is reached")
	h.must(c.OpenChannel(), other.OpenChannel())
	refused(t, "channel", c.OpenChannel(), "NOT_ALLOWED - number of channels opened on node "+
		"'warren@here' has reached the maximum allowed limit of (2)")
	refused(t, "consumer", c.MayConsume(3),
		"NOT_ALLOWED - reached maximum (3) of consumers per channel")
	h.must(c.MayConsume(2))
	c.declare("a", true)
	other.declareQueue(definition.Queue{Name: "b", Exclusive: true})
	_, err = c.DeclareQueue(definition.Queue{Name: "c"})
	refused(t, "queue", err, "PRECONDITION_FAILED - cannot declare queue 'c': queue limit in "+
		"cluster (2) is reached")
	c.declare("a", true)
	c.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
	err = c.DeclareExchange(definition.Exchange{Name: "y", Type: "topic"})
	refused(t, "exchange", err, "PRECONDITION_FAILED - cannot declare exchange 'y' in vhost '/': "+
		"exchange limit of "+strconv.Itoa(2*predeclared+1)+" is reached")
	c.declareExchange(definition.Exchange{Name: "x", Type: "topic"})
	h.must(h.DeleteVHost("v")) // makes room for all of it
	other.Close(other.batch)
	h.must(c.OpenChannel(), h.tryOpen())
	c.declare("c", true)
	c.declareExchange(definition.Exchange{Name: "y", Type: "topic"})
	h.vhost("w")
}

func TestAnUnknownDefaultQueueTypeIsRefused(t *testing.T) {
	s, err := store.Open(store.Options{Dir: "data", FS: disk.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := New(Options{Store: s, DefaultQueueType: "ring"}); err == nil {
		t.Error("a manager started")
	}
}

// TestQueuesGetTheDefaultType of their vhost, else of the node.
func TestQueuesGetTheDefaultType(t *testing.T) {
	h := limited(t, Options{DefaultQueueType: "quorum"})
	c := h.guest()
	typeOf := func(q *Queue) string { return q.Definition.Type }
	if got := typeOf(c.declare("a", true)); got != "quorum" {
		t.Errorf("the node's: %s", got)
	}
	c.declare("a", true) // the same again
	h.must(h.VHost("/").PutMetadata(definition.Metadata{DefaultQueueType: "classic"}))
	if got := typeOf(c.declare("b", true)); got != "classic" {
		t.Errorf("the vhost's: %s", got)
	}
}
