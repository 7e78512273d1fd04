package broker

import (
	"slices"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

// TraceExchange is where copies of all messages of a vhost go while it is traced: those that are
// published with the key "publish." and the name of their exchange, those that are delivered with
// "deliver." and the name of their queue. RabbitMQ calls that the firehose.
const TraceExchange = "amq.rabbitmq.trace"

// Tracing reports whether copies of the vhost's messages are wanted.
func (a *Access) Tracing() bool { return a.vhost.tracing.Load() }

// Tracing reports whether copies of what the queue delivers are wanted.
func (q *Queue) Tracing() bool { return q.vhost.tracing.Load() }

// Traces are copies of messages on their way to the exchange for them, and who they come from. It
// belongs to one goroutine, or is guarded by a lock of the caller's.
type Traces struct {
	// Connection and User are told with each.
	Connection, User string

	vhost   *VHost
	arena   message.Arena
	builder message.Builder
	list    []message.Message
}

// NewTraces returns an empty list of copies of messages from the queue's vhost.
func (q *Queue) NewTraces(connection, user string) *Traces {
	return &Traces{Connection: connection, User: user, vhost: q.vhost}
}

// NewTraces returns an empty list of copies of messages of the vhost.
func (a *Access) NewTraces(connection string) *Traces {
	return &Traces{Connection: connection, User: a.user, vhost: a.vhost}
}

// Published makes a copy of a message that came in on a channel, with all its routing keys, or none
// if it has one, and that takes a route. It reports whether there is one: copies are not copied.
func (t *Traces) Published(channel int, m *message.Message, keys [][]byte, r *Route) bool {
	fields, ok := t.fields(channel, m, keys)
	if !ok {
		return false
	}
	var queues []string
	if len(m.Exchange()) == 0 { // as RabbitMQ tells it, whether there are such queues or not
		names, _ := fields["routing_keys"].([]string)
		queues = slices.Compact(slices.Sorted(slices.Values(names)))
	} else {
		for _, q := range r.queues {
			queues = append(queues, q.Name())
		}
	}
	fields["routed_queues"] = queues
	return t.add("publish."+string(m.Exchange()), m, fields)
}

// Delivered makes a copy of a message that q delivers on a channel, as Published does.
func (t *Traces) Delivered(channel int, q *Queue, m *message.Message, redelivered bool) bool {
	fields, ok := t.fields(channel, m, nil)
	if !ok {
		return false
	}
	again := int32(0)
	if redelivered {
		again = 1
	}
	fields["redelivered"] = again
	return t.add("deliver."+q.Name(), m, fields)
}

// fields says what there is to say of a message.
func (t *Traces) fields(
	channel int, m *message.Message, keys [][]byte,
) (fields map[string]any, ok bool) {
	if string(m.Exchange()) == TraceExchange {
		return nil, false
	}
	names := []string{string(m.RoutingKey())}
	if len(keys) > 0 {
		names = names[:0]
		for _, key := range keys {
			names = append(names, string(key))
		}
	} else if cc, found := m.Properties().Headers().Lookup("CC"); found {
		cc.Each(func(v amqp.Value) bool {
			if key, ok := v.Text(); ok {
				names = append(names, string(key))
			}
			return true
		})
	}
	return map[string]any{
		"exchange_name": string(m.Exchange()), "routing_keys": names,
		"properties": propertyFields(m.Properties()), "node": t.vhost.m.name,
		"vhost": t.vhost.name, "connection": t.Connection, "channel": int32(channel),
		"user": t.User,
	}, true
}

// propertyFields are the properties of a message as a table.
func propertyFields(raw amqp.RawProperties) map[string]any {
	fields := make(map[string]any)
	p, err := raw.Decode()
	if err != nil {
		return fields
	}
	for name, text := range map[string]string{
		"content_type": p.ContentType, "content_encoding": p.ContentEncoding,
		"correlation_id": p.CorrelationID, "reply_to": p.ReplyTo, "expiration": p.Expiration,
		"message_id": p.MessageID, "type": p.Type, "user_id": p.UserID, "app_id": p.AppID,
		"cluster_id": p.ClusterID,
	} {
		if text != "" {
			fields[name] = text
		}
	}
	if p.Headers != nil {
		fields["headers"] = p.Headers
	}
	if p.DeliveryMode != 0 {
		fields["delivery_mode"] = int32(p.DeliveryMode)
	}
	if n, ok := raw.Priority(); ok {
		fields["priority"] = int32(n)
	}
	if at, ok := raw.Timestamp(); ok {
		fields["timestamp"] = int(at)
	}
	return fields
}

// add adds the copy of a message, unless it is too large for one.
func (t *Traces) add(key string, m *message.Message, fields map[string]any) bool {
	headers := amqp.NewTable(fields)
	if headers.Validate() != nil {
		return false // a table in a table that is nested as deep as may be
	}
	p := amqp.Properties{Headers: headers}
	body := m.Body()
	err := t.builder.Begin(&t.arena, []byte(TraceExchange),
		[]byte(key[:min(len(key), message.NameMax)]), p.AppendTo(nil), uint64(len(body)))
	if err != nil {
		return false
	}
	t.builder.Append(body)
	t.list = append(t.list, t.builder.Done())
	return true
}

// Take returns the copies that are to be sent, which are the caller's then.
func (t *Traces) Take() []message.Message {
	list := t.list
	t.list = nil
	return list
}

// SendTraces publishes copies that were taken from t. It is called with nothing locked.
func (b *Batch) SendTraces(t *Traces, list []message.Message) {
	routes := RouteCache{inside: true}
	for _, m := range list {
		r := routes.find(t.vhost, m.Exchange(), m.RoutingKey(), m.Properties())
		if r.Err == nil && r.Takes() {
			b.Publish(r, m)
		} else {
			m.Release()
		}
		if b.Full() {
			b.Run()
		}
	}
}
