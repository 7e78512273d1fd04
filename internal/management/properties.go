package management

import (
	"bytes"
	"encoding/json"
	"math"

	"github.com/warrenmq/warren/amqp"
)

// deliveryCount is the header in which consumers of a quorum queue learn how often a message came
// back.
const deliveryCount = "x-delivery-count"

// textProperty is a property that is text.
type textProperty struct {
	key   string
	value *string
}

func textProperties(p *amqp.Properties) []textProperty {
	return []textProperty{
		{"content_type", &p.ContentType}, {"content_encoding", &p.ContentEncoding},
		{"correlation_id", &p.CorrelationID}, {"reply_to", &p.ReplyTo},
		{"expiration", &p.Expiration}, {"message_id", &p.MessageID}, {"type", &p.Type},
		{"user_id", &p.UserID}, {"app_id", &p.AppID}, {"cluster_id", &p.ClusterID},
	}
}

// propertiesOf reads the properties of a message; those it does not know do not count.
func propertiesOf(given map[string]any) (*amqp.Properties, error) {
	p := &amqp.Properties{}
	for _, text := range textProperties(p) {
		v, ok := given[text.key]
		if !ok {
			continue
		}
		if *text.value, ok = v.(string); !ok {
			return nil, refused("not_string", text.key)
		}
		if len(*text.value) > amqp.ShortStrMax {
			return nil, badRequest("%s has at most %d octets", text.key, amqp.ShortStrMax)
		}
	}
	for _, whole := range []struct {
		key string
		max uint64
		set func(uint64)
	}{
		{"delivery_mode", math.MaxUint8, func(n uint64) { p.DeliveryMode = uint8(n) }},
		{"priority", math.MaxUint8, func(n uint64) { p.Priority = uint8(n) }},
		{"timestamp", math.MaxInt64, func(n uint64) { p.Timestamp = n }},
	} {
		v, ok := given[whole.key]
		if !ok {
			continue
		}
		text, _ := v.(json.Number)
		n, err := text.Int64()
		if err != nil || n < 0 || uint64(n) > whole.max {
			return nil, refused("not_int", whole.key)
		}
		whole.set(uint64(n))
	}
	if headers, ok := given["headers"]; ok {
		fields, ok := headers.(map[string]any)
		if !ok {
			return nil, refused("not_object", "headers")
		}
		table, err := amqp.TableOfJSON(fields)
		if err != nil {
			return nil, badRequest("headers: %v", err)
		}
		p.Headers = table
	}
	return p, nil
}

// showProperties returns the properties that a message has, as RabbitMQ shows them: an empty list
// if there are none.
func (t *taken) showProperties() any {
	shown := map[string]any{}
	p, err := t.properties.Decode()
	if err != nil {
		return []any{}
	}
	for _, text := range textProperties(&p) {
		if *text.value != "" {
			shown[text.key] = *text.value
		}
	}
	if p.DeliveryMode != 0 {
		shown["delivery_mode"] = p.DeliveryMode
	}
	if priority, ok := t.properties.Priority(); ok {
		shown["priority"] = priority
	}
	if timestamp, ok := t.properties.Timestamp(); ok {
		shown["timestamp"] = timestamp
	}
	headers := bytes.Clone(p.Headers)
	if e, ok := t.queue.Effective(); ok && e.CountsDeliveries {
		headers = amqp.Table(headers).AppendInt64(deliveryCount, int64(t.deliveries))
	}
	if len(headers) > 0 {
		shown["headers"] = amqp.Table(headers)
	}
	if len(shown) == 0 {
		return []any{}
	}
	return shown
}
