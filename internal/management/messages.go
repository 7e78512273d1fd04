package management

import (
	"encoding/base64"
	"net/http"
	"unicode/utf8"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/queue"
)

func messageRoutes() []route {
	return []route{
		{method: "POST", path: "/api/exchanges/:vhost/:exchange/publish", needs: managers,
			quiet: true,
			do:    postPublish, text: "Publishes a message, and says whether a queue got it",
			body: "publish"},
		{method: "POST", path: "/api/queues/:vhost/:queue/get", needs: managers, do: postGet,
			quiet: true,
			text:  "Gets messages from a queue, and does with them what ackmode says", body: "get"},
		{method: "POST", path: "/api/warren/queues/:vhost/:queue/move", needs: managers,
			do: postMove, text: "Moves messages to another queue or exchange, each at least once",
			body: "move"},
	}
}

// publishBody is a message as clients send it.
type publishBody struct {
	RoutingKey      *string         `json:"routing_key"`
	Payload         any             `json:"payload"`
	PayloadEncoding *string         `json:"payload_encoding"`
	Properties      *map[string]any `json:"properties"`
}

func postPublish(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	l, err := q.letter()
	if err != nil {
		return err
	}
	if q.h.o.Broker.Alarms() != 0 {
		return &failure{
			status: http.StatusServiceUnavailable, kind: "service_unavailable",
			reason: "publishers are blocked: a resource alarm is in effect",
		}
	}
	if err := a.CheckProperties(l.properties); err != nil {
		return closed(err)
	}
	d := q.h.newDesk(a)
	defer d.close()
	const ticket = 1
	result, refusal := d.publish(l, ticket)
	if refusal != nil {
		return closed(refusal)
	}
	rejected, err := d.await(result.stable)
	if err != nil {
		return err
	}
	return q.reply(map[string]bool{"routed": result.routed && len(rejected) == 0})
}

// letter reads the message of a publish.
func (q *request) letter() (*letter, error) {
	var body publishBody
	if err := q.decode(&body); err != nil {
		return nil, err
	}
	var absent []string
	for _, field := range []struct {
		key   string
		there bool
	}{
		{"routing_key", body.RoutingKey != nil}, {"properties", body.Properties != nil},
		{"payload", body.Payload != nil}, {"payload_encoding", body.PayloadEncoding != nil},
	} {
		if !field.there {
			absent = append(absent, field.key)
		}
	}
	if absent != nil {
		return nil, missing(absent...)
	}
	if len(*body.RoutingKey) > amqp.ShortStrMax {
		return nil, badRequest("a routing key has at most %d octets", amqp.ShortStrMax)
	}
	payload, ok := body.Payload.(string)
	if !ok {
		return nil, badRequest("payload_not_string")
	}
	l := &letter{exchange: exchangeName(q.param("exchange")), key: *body.RoutingKey}
	switch *body.PayloadEncoding {
	case "string":
		l.body = []byte(payload)
	case "base64":
		decoded, err := base64.StdEncoding.DecodeString(payload)
		if err != nil {
			return nil, refused("not_base64", payload)
		}
		l.body = decoded
	default:
		return nil, refused("unsupported_encoding", *body.PayloadEncoding)
	}
	properties, err := propertiesOf(*body.Properties)
	if err != nil {
		return nil, err
	}
	l.properties = properties.AppendTo(nil)
	return l, nil
}

// getBody is what clients want of a queue.
type getBody struct {
	Count    *number `json:"count"`
	AckMode  *string `json:"ackmode"`
	Requeue  *flag   `json:"requeue"` // before there was ackmode
	Encoding *string `json:"encoding"`
	Truncate *number `json:"truncate"`
}

// getBytesMax is how many bytes of messages one answer has: with the message that reaches it, it
// ends. More would take too much memory.
const getBytesMax = 64 << 20

// getCost is about what a message takes beside its body, in bytes: empty ones count too.
const getCost = 1 << 10

// verdictOf returns what becomes of messages that were got.
func (b *getBody) verdict() (queue.Kind, error) {
	if b.AckMode == nil && b.Requeue == nil {
		return 0, missing("ackmode")
	}
	if b.AckMode == nil {
		if *b.Requeue {
			return queue.Return, nil
		}
		return queue.Ack, nil
	}
	switch *b.AckMode {
	case "ack_requeue_true", "reject_requeue_true":
		return queue.Return, nil
	case "ack_requeue_false":
		return queue.Ack, nil
	case "reject_requeue_false":
		return queue.Discard, nil
	}
	return 0, refused("unknown_ackmode", *b.AckMode)
}

func (b *getBody) check() error {
	switch {
	case b.Count == nil:
		return missing("count")
	case b.Encoding == nil:
		return missing("encoding")
	case *b.Encoding != "auto" && *b.Encoding != "base64":
		return badRequest("Unsupported encoding. Please use auto or base64.")
	}
	return nil
}

func postGet(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	var body getBody
	if err := q.decode(&body); err != nil {
		return err
	}
	verdict, err := body.verdict()
	if err == nil {
		err = body.check()
	}
	if err != nil {
		return err
	}
	source, err := readable(a, q.param("queue"))
	if err != nil {
		return err
	}
	d := q.h.newDesk(a)
	defer d.close()
	list := []any{}
	for size := 0; len(list) < int(*body.Count) && size < getBytesMax; {
		t, err := d.get(q.Context(), source)
		if err != nil {
			return err
		}
		if t == nil {
			break
		}
		size += len(t.body) + len(t.properties) + getCost
		list = append(list, t.show(&body))
	}
	d.settle(verdict, d.got...)
	return q.reply(list)
}

// readable returns a queue that the user may get messages from.
func readable(a *broker.Access, name string) (*broker.Queue, error) {
	source, err := a.ReadableQueue(name)
	if err != nil {
		return nil, onChannel(err)
	}
	e, ok := source.Effective()
	if ok && e.SingleActive && e.CountsDeliveries {
		return nil, closed(amqp.NewError(amqp.ResourceLocked, "cannot obtain access to locked "+
			"queue '%s' in vhost '%s'. basic.get operations are not supported by quorum queues "+
			"with single active consumer", name, a.VHostName()))
	}
	return source, nil
}

// messageShown is a message as RabbitMQ shows it.
type messageShown struct {
	PayloadBytes    int    `json:"payload_bytes"`
	Redelivered     bool   `json:"redelivered"`
	Exchange        string `json:"exchange"`
	RoutingKey      string `json:"routing_key"`
	MessageCount    int    `json:"message_count"`
	Properties      any    `json:"properties"`
	Payload         string `json:"payload"`
	PayloadEncoding string `json:"payload_encoding"`
}

func (t *taken) show(b *getBody) messageShown {
	payload := t.body
	if b.Truncate != nil && *b.Truncate >= 0 && int64(*b.Truncate) < int64(len(payload)) {
		payload = payload[:*b.Truncate]
	}
	shown := messageShown{
		PayloadBytes: len(t.body), Redelivered: t.redelivered, Exchange: t.exchange,
		RoutingKey: t.key, MessageCount: t.ready, Properties: t.showProperties(),
	}
	if *b.Encoding == "auto" && utf8.Valid(payload) {
		shown.Payload, shown.PayloadEncoding = string(payload), "string"
	} else {
		shown.Payload = base64.StdEncoding.EncodeToString(payload)
		shown.PayloadEncoding = "base64"
	}
	return shown
}
