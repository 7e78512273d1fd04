package amqp091_test

import (
	"slices"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/warrentest"
)

// get asks for a message on channel 1, and returns it.
func get(c *warrentest.Client, queue string, noAck bool) *amqp.BasicGetOk {
	ok := c.Call(1, &amqp.BasicGet{Queue: queue, NoAck: noAck}, amqp.MethodBasicGetOk)
	c.Content(1)
	return ok.(*amqp.BasicGetOk)
}

// TestWhatHappensToMessagesIsCounted as a RabbitMQ 3.10 counted it when the same was done to it.
func TestWhatHappensToMessagesIsCounted(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	declareCounted(c)
	publishCounted(c)
	consumeCounted(t, c)
	commitCounted(t, c, door)
	checkTotals(t, m)
	checkChannels(t, door)
	v := m.VHost("/")
	if s := v.ExchangeStats("x"); s.PublishIn != 6 || s.PublishOut != 12 {
		t.Errorf("x: %+v", s)
	}
	if s := v.ExchangeStats(""); s.PublishIn != 4 || s.PublishOut != 2 {
		t.Errorf("default: %+v", s)
	}
	for _, q := range v.Queues() {
		var want broker.MessageStats
		switch q.Name() {
		case "a":
			want = broker.MessageStats{
				Publish: 7, DeliverNoAck: 4, Get: 3, GetNoAck: 1, Redeliver: 1, Ack: 1,
			}
		case "b":
			want = broker.MessageStats{Publish: 6, Deliver: 6, Ack: 1}
		case "e":
			want = broker.MessageStats{Publish: 1, GetEmpty: 1}
		}
		if got := q.Stats().Messages; got != want {
			t.Errorf("queue %s %+v, want %+v", q.Name(), got, want)
		}
	}
}

// declareCounted declares what messages go through: x to a and b, and e.
func declareCounted(c *warrentest.Client) {
	openChannels(c, 3)
	declare(c, "a", false)
	declare(c, "a", false)
	c.Call(1, &amqp.QueueDeclare{Queue: "a", Passive: true}, amqp.MethodQueueDeclareOk)
	c.Call(1, &amqp.QueueDeclare{
		Queue: "b", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-queue-type": "quorum"}),
	}, amqp.MethodQueueDeclareOk)
	declare(c, "gone", false)
	c.Call(1, &amqp.QueueDelete{Queue: "gone"}, amqp.MethodQueueDeleteOk)
	declare(c, "e", false)
	c.Call(1, &amqp.ExchangeDeclare{Exchange: "x", Type: "fanout"}, amqp.MethodExchangeDeclareOk)
	c.Call(1, &amqp.QueueBind{Queue: "a", Exchange: "x"}, amqp.MethodQueueBindOk)
	c.Call(1, &amqp.QueueBind{Queue: "b", Exchange: "x"}, amqp.MethodQueueBindOk)
}

func publishCounted(c *warrentest.Client) {
	for range 5 {
		c.Publish(1, "x", "k", amqp.Properties{}, []byte("hi"))
	}
	c.Publish(1, "", "nowhere", amqp.Properties{}, []byte("hi"))
	mandatory := amqp.AppendBasicPublish(nil, 1, "", "nowhere", true, false)
	none := new(amqp.Properties).AppendTo(nil)
	c.Raw(amqp.AppendContent(mandatory, 1, none, []byte("hi"), amqp.FrameMinSize))
	c.Expect(1, amqp.MethodBasicReturn)
	c.Content(1)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	c.Publish(1, "", "a", amqp.Properties{}, []byte("hi"))
	c.Expect(1, amqp.MethodBasicAck)
}

func consumeCounted(t *testing.T, c *warrentest.Client) {
	t.Helper()
	c.Send(1, &amqp.BasicAck{DeliveryTag: get(c, "a", false).DeliveryTag})
	c.Send(1, &amqp.BasicNack{DeliveryTag: get(c, "a", false).DeliveryTag, Requeue: true})
	again := get(c, "a", false)
	c.Send(1, &amqp.BasicReject{DeliveryTag: again.DeliveryTag})
	get(c, "a", true)
	c.Call(2, &amqp.BasicGet{Queue: "e"}, amqp.MethodBasicGetEmpty)
	consume(c, 2, "b", false)
	for range 5 {
		delivery(t, c, 2, "hi")
	}
	c.Send(2, &amqp.BasicAck{DeliveryTag: 1})
	consume(c, 2, "a", true)
	for range 3 {
		delivery(t, c, 2, "hi")
	}
}

func commitCounted(t *testing.T, c *warrentest.Client, door *amqp091.Door) {
	t.Helper()
	c.Call(3, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
	c.Publish(3, "", "e", amqp.Properties{}, []byte("x"))
	c.Publish(3, "x", "k", amqp.Properties{}, []byte("x"))
	silent(c, 3)
	if ch := door.Channels()[2]; ch.UncommittedMessages != 2 || ch.Stats.Publish != 0 {
		t.Errorf("before the commit: %+v", ch)
	}
	c.Send(3, &amqp.TxCommit{})
	delivery(t, c, 2, "x")
	delivery(t, c, 2, "x")
	c.Expect(3, amqp.MethodTxCommitOk)
	c.Publish(3, "", "e", amqp.Properties{}, []byte("x"))
	silent(c, 3)
}

func checkTotals(t *testing.T, m *broker.Manager) {
	t.Helper()
	totals := m.Totals()
	if len(totals) != 1 {
		t.Fatalf("%d protocols", len(totals))
	}
	want := broker.Totals{
		Protocol: "amqp091", Received: 11, ReceivedConfirm: 4, Confirmed: 1, Routed: 14,
		UnroutableDropped: 1, UnroutableReturned: 1, Publishers: 2, Consumers: 2,
		Deliveries: [broker.QueueTypes]broker.Deliveries{
			{DeliverNoAck: 4, Get: 3, GetNoAck: 1, GetEmpty: 1, Redeliver: 1, Ack: 1},
			{Deliver: 6, Ack: 1},
		},
		ConnectionsOpened: 1, ChannelsOpened: 3, Logins: broker.Logins{Attempts: 1, Succeeded: 1},
	}
	want.Sizes.Classes[0], want.Sizes.Sum = 11, 8*2+3
	if totals[0] != want {
		t.Errorf("totals\n%+v, want\n%+v", totals[0], want)
	}
	dead := m.DeadLetters(broker.ClassicQueue, broker.DeadLettersDisabled)
	if want := (broker.DeadLetters{Rejected: 1}); dead != want {
		t.Errorf("dead: %+v, want %+v", dead, want)
	}
	churn := broker.Churn{
		ConnectionsOpened: 1, ChannelsOpened: 3, QueuesDeclared: 5, QueuesCreated: 4,
		QueuesDeleted: 1,
	}
	if got := m.Churn(); got != churn {
		t.Errorf("churn %+v, want %+v", got, churn)
	}
}

func checkChannels(t *testing.T, door *amqp091.Door) {
	t.Helper()
	channels := door.Channels()
	one := broker.MessageStats{
		Publish: 8, Confirm: 1, ReturnUnroutable: 1, DropUnroutable: 1,
		Get: 3, GetNoAck: 1, Redeliver: 1, Ack: 1,
	}
	if got := channels[0].Stats; got != one {
		t.Errorf("channel 1 %+v, want %+v", got, one)
	}
	two := broker.MessageStats{Deliver: 6, DeliverNoAck: 4, GetEmpty: 1, Ack: 1}
	if got := channels[1].Stats; got != two {
		t.Errorf("channel 2 %+v, want %+v", got, two)
	}
	of := one
	of.Publish, of.Deliver, of.DeliverNoAck, of.GetEmpty, of.Ack = 10, 6, 4, 1, 2
	if got := door.Connections()[0].Stats; got != of {
		t.Errorf("connection %+v, want %+v", got, of)
	}
}

// TestTotalsNeverGoBack: what a connection that is gone has counted stays counted.
func TestTotalsNeverGoBack(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	declare(c, "q", false)
	publishNumbers(c, "q", 1, 10)
	consume(c, 1, "q", true)
	for _, body := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
		delivery(t, c, 1, body)
	}
	c.Call(1, &amqp.ChannelClose{}, amqp.MethodChannelCloseOk)
	if s := door.Connections()[0].Stats; s.Publish != 10 || s.DeliverNoAck != 10 {
		t.Errorf("after its channel was closed: %+v", s)
	}
	c.Close()
	for len(door.Connections()) > 0 {
		c.Close()
	}
	other := warrentest.Open(t, addr)
	other.Call(1, &amqp.QueueDelete{Queue: "q"}, amqp.MethodQueueDeleteOk)
	got := door.Totals()
	if got.Received != 10 || got.Routed != 10 || got.Deliveries[0].DeliverNoAck != 10 ||
		got.Publishers != 0 || got.Consumers != 0 || got.ConnectionsOpened != 2 ||
		got.ConnectionsClosed != 1 || got.ChannelsOpened != 2 || got.ChannelsClosed != 1 {
		t.Errorf("%+v", got)
	}
	if s := m.Stats(); s.Publish != 10 || s.DeliverNoAck != 10 {
		t.Errorf("%+v", s)
	}
}

// TestAnExchangeThatIsDeclaredAgainCountsFromNothing.
func TestAnExchangeThatIsDeclaredAgainCountsFromNothing(t *testing.T) {
	addr, m, _ := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	for range 2 {
		c.Call(1, &amqp.ExchangeDeclare{Exchange: "x", Type: "direct"},
			amqp.MethodExchangeDeclareOk)
		c.Publish(1, "x", "k", amqp.Properties{}, nil)
		c.Publish(1, "x", "k", amqp.Properties{}, nil)
		silent(c, 1)
		if s := m.VHost("/").ExchangeStats("x"); s.PublishIn != 2 || s.PublishOut != 0 {
			t.Errorf("%+v", s)
		}
		c.Call(1, &amqp.ExchangeDelete{Exchange: "x"}, amqp.MethodExchangeDeleteOk)
		if s := m.VHost("/").ExchangeStats("x"); s.PublishIn != 0 {
			t.Errorf("after it was deleted: %+v", s)
		}
	}
}

func TestSizesOfMessagesAreClassed(t *testing.T) {
	addr, _, door := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	for _, size := range []int{0, 100, 101, 1000, 1001, 100_000, 2_000_000} {
		c.Publish(1, "", "nowhere", amqp.Properties{}, make([]byte, size))
	}
	silent(c, 1)
	want := broker.Sizes{Sum: 100 + 101 + 1000 + 1001 + 100_000 + 2_000_000}
	want.Classes = [len(want.Classes)]uint64{2, 2, 1, 1, 0, 1}
	if got := door.Totals().Sizes; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i, bound := range broker.SizeBounds() {
		if at, above := broker.SizeClass(int(bound)), broker.SizeClass(int(bound)+1); at != i ||
			above != i+1 {
			t.Errorf("%d is of class %d, one more of class %d", bound, at, above)
		}
	}
}

// TestMessagesWithFurtherKeysAreCountedForEachQueue, and those around them for theirs.
func TestMessagesWithFurtherKeysAreCountedForEachQueue(t *testing.T) {
	addr, m, door := serveBroker(t, disk.NewMemory())
	c := warrentest.Open(t, addr)
	for _, q := range []string{"a", "b", "c"} {
		declare(c, q, false)
	}
	more := amqp.Properties{Headers: amqp.NewTable(map[string]any{"CC": []any{"b", "c"}})}
	for range 3 {
		c.Publish(1, "", "a", amqp.Properties{}, nil)
		c.Publish(1, "", "a", more, nil)
		c.Publish(1, "", "nowhere", amqp.Properties{}, nil)
		c.Publish(1, "", "a", amqp.Properties{}, nil)
	}
	silent(c, 1)
	if s := m.VHost("/").ExchangeStats(""); s.PublishIn != 12 || s.PublishOut != 3*(1+3+0+1) {
		t.Errorf("%+v", s)
	}
	if s := door.Totals(); s.Routed != 15 || s.Received != 12 || s.UnroutableDropped != 3 {
		t.Errorf("%+v", s)
	}
}

// TestAChannelTellsWithWhomItDealt, if that is wanted.
func TestAChannelTellsWithWhomItDealt(t *testing.T) {
	_, m, _ := serveBroker(t, disk.NewMemory())
	addr, door := serveDoor(t, amqp091.Options{
		Broker: m, Logger: warrentest.Logger(t), DetailedStats: true,
	})
	c := warrentest.Open(t, addr)
	declare(c, "a", false)
	declare(c, "b", false)
	publishNumbers(c, "a", 1, 3)
	c.Publish(1, "amq.fanout", "", amqp.Properties{}, nil)
	c.Send(1, &amqp.BasicNack{DeliveryTag: get(c, "a", false).DeliveryTag, Requeue: true})
	c.Send(1, &amqp.BasicAck{DeliveryTag: get(c, "a", false).DeliveryTag})
	c.Call(1, &amqp.BasicGet{Queue: "b"}, amqp.MethodBasicGetEmpty)
	consume(c, 1, "a", true)
	delivery(t, c, 1, "2")
	delivery(t, c, 1, "3")
	silent(c, 1)
	ch := door.Channels()[0]
	publishes := []broker.NamedStats{
		{Name: "", Stats: broker.MessageStats{Publish: 3}},
		{Name: "amq.fanout", Stats: broker.MessageStats{Publish: 1}},
	}
	deliveries := []broker.NamedStats{
		{Name: "a", Stats: broker.MessageStats{Get: 2, Redeliver: 1, Ack: 1, DeliverNoAck: 2}},
		{Name: "b", Stats: broker.MessageStats{GetEmpty: 1}},
	}
	if !slices.Equal(ch.Publishes, publishes) || !slices.Equal(ch.Deliveries, deliveries) {
		t.Errorf("%+v\n%+v", ch.Publishes, ch.Deliveries)
	}
}
