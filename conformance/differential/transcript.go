package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// describe is a delivery as text.
func describe(d amqp.Delivery) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s from %q by %q", word(d.Body), d.Exchange, d.RoutingKey)
	if d.Redelivered {
		text.WriteString(" redelivered")
	}
	text.WriteString(properties(amqp.Publishing{
		Headers: d.Headers, ContentType: d.ContentType, ContentEncoding: d.ContentEncoding,
		DeliveryMode: d.DeliveryMode, Priority: d.Priority, CorrelationId: d.CorrelationId,
		ReplyTo: d.ReplyTo, Expiration: d.Expiration, MessageId: d.MessageId,
		Timestamp: d.Timestamp, Type: d.Type, UserId: d.UserId, AppId: d.AppId,
	}))
	return text.String()
}

// describeReturn is a returned message as text.
func describeReturn(r amqp.Return) string {
	return fmt.Sprintf("return of %s from %q by %q: %d %s%s", word(r.Body), r.Exchange,
		r.RoutingKey, r.ReplyCode, r.ReplyText, properties(amqp.Publishing{
			Headers: r.Headers, ContentType: r.ContentType, ContentEncoding: r.ContentEncoding,
			DeliveryMode: r.DeliveryMode, Priority: r.Priority, CorrelationId: r.CorrelationId,
			ReplyTo: r.ReplyTo, Expiration: r.Expiration, MessageId: r.MessageId,
			Timestamp: r.Timestamp, Type: r.Type, UserId: r.UserId, AppId: r.AppId,
		}))
}

// word is what a body says, without what makes it long, and its length if it is.
func word(body []byte) string {
	short := strings.TrimRight(string(body), ".")
	if len(short) == len(body) {
		return short
	}
	return fmt.Sprintf("%s+%d", short, len(body)-len(short))
}

// properties are those that are set, each after a space.
func properties(m amqp.Publishing) string {
	var text strings.Builder
	for _, property := range []struct{ name, value string }{
		{"content-type", m.ContentType}, {"content-encoding", m.ContentEncoding},
		{"correlation-id", m.CorrelationId}, {"reply-to", m.ReplyTo},
		{"expiration", m.Expiration}, {"message-id", m.MessageId}, {"type", m.Type},
		{"user-id", m.UserId}, {"app-id", m.AppId},
	} {
		if property.value != "" {
			fmt.Fprintf(&text, " %s=%q", property.name, property.value)
		}
	}
	if m.DeliveryMode != 0 {
		fmt.Fprintf(&text, " delivery-mode=%d", m.DeliveryMode)
	}
	if m.Priority != 0 {
		fmt.Fprintf(&text, " priority=%d", m.Priority)
	}
	if !m.Timestamp.IsZero() {
		fmt.Fprintf(&text, " timestamp=%d", m.Timestamp.Unix())
	}
	if m.Headers != nil {
		fmt.Fprintf(&text, " headers=%s", value(m.Headers))
	}
	return text.String()
}

// value is a field value with its type, where that is not plain. Times are not told: no two
// brokers have the same.
func value(v any) string {
	switch v := v.(type) {
	case amqp.Table:
		if v == nil {
			return "{}"
		}
		fields := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			fields = append(fields, name+"="+value(v[name]))
		}
		return "{" + strings.Join(fields, " ") + "}"
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = value(item)
		}
		return "[" + strings.Join(items, " ") + "]"
	case string:
		return fmt.Sprintf("%q", v)
	case time.Time:
		return "time"
	case bool, nil:
		return fmt.Sprint(v)
	default:
		return fmt.Sprintf("%T(%v)", v, v)
	}
}

// flags are the names of those that are set, each after a space.
func flags(set map[string]bool) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] {
			text.WriteString(" " + name)
		}
	}
	return text.String()
}

// arguments are a table's fields, each after a space.
func arguments(table amqp.Table) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(&text, " %s=%s", name, value(table[name]))
	}
	return text.String()
}
