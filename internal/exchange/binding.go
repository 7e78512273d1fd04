package exchange

import (
	"encoding/base64"
	"hash/fnv"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// Binding is a relation between an exchange and a queue, or another exchange: messages of the
// source that match go to the destination. It is a value; nobody writes to its arguments.
type Binding struct {
	Source      string // the exchange messages come from
	Destination string
	ToExchange  bool // the destination is an exchange, not a queue
	RoutingKey  string
	Arguments   amqp.Table
}

// Equal tells whether b and o are the same binding: RabbitMQ keeps one of them. The order of
// arguments does not count, their types do.
func (b Binding) Equal(o Binding) bool {
	return b.Source == o.Source && b.Destination == o.Destination &&
		b.ToExchange == o.ToExchange && b.RoutingKey == o.RoutingKey &&
		equalArguments(b.Arguments, o.Arguments)
}

func equalArguments(a, b amqp.Table) bool {
	return string(a) == string(b) || string(SortArguments(a)) == string(SortArguments(b))
}

// SortArguments returns a table with memory of its own that has the same fields in the order
// of their keys, each key once, nil when there are none: two tables that make the same
// binding become the same bytes.
func SortArguments(t amqp.Table) amqp.Table {
	if len(t) == 0 {
		return nil
	}
	return amqp.NewTable(t.Map())
}

// PropertiesKey returns what tells the binding from others between the same two ends, as the
// HTTP API has it: "~" when there is neither key nor arguments, else the quoted key, and
// after another "~" a hash of the arguments when there are any.
func (b Binding) PropertiesKey() string {
	arguments := SortArguments(b.Arguments)
	if len(arguments) == 0 {
		if b.RoutingKey == "" {
			return "~"
		}
		return quoteKey(b.RoutingKey)
	}
	h := fnv.New64a()
	_, _ = h.Write(arguments) // never fails, see hash.Hash
	return quoteKey(b.RoutingKey) + "~" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// quoteKey quotes for a URL path in the way of HTML forms, and "~" as well.
func quoteKey(key string) string {
	const hex = "0123456789ABCDEF"
	var s strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '.', c == '-', c == '_':
			s.WriteByte(c)
		case c == ' ':
			s.WriteByte('+')
		default:
			s.WriteByte('%')
			s.WriteByte(hex[c>>4])
			s.WriteByte(hex[c&15])
		}
	}
	return s.String()
}
