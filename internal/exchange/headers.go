package exchange

import (
	"bytes"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// headersExchange matches the arguments of bindings against the headers of messages, and does
// not look at keys. The argument x-match says how:
//
//	all, or no x-match   every other argument matches a header
//	any                  at least one does
//	all-with-x           as all and any, but arguments
//	any-with-x           whose key begins with "x-" count, too
//
// An argument without a value (type V) matches a header of that name with any value; otherwise
// the values are equal as TermEqual says.
type headersExchange struct {
	patterns []pattern
	index    map[patternID]int // positions in patterns
}

func newHeaders() Router { return &headersExchange{index: make(map[patternID]int)} }

// pattern is a binding made ready for matching.
type pattern struct {
	id     patternID
	any    bool
	fields []field // sorted by key
}

// patternID is what tells one binding of an exchange from another.
type patternID struct {
	end
	key       string
	arguments string // sorted
}

type field struct {
	key   string
	value amqp.Value
}

// header is a field of a message's headers; it aliases the message.
type header struct {
	key   []byte
	value amqp.Value
}

const (
	matchArgument = "x-match"
	withX         = "-with-x"
)

func validateHeaders(b Binding) *amqp.Error {
	v, ok := b.Arguments.Lookup(matchArgument)
	if !ok {
		return nil
	}
	text, ok := v.Text()
	if !ok {
		return amqp.NewError(amqp.PreconditionFailed,
			"Invalid x-match field type %s (value %s); expected longstr", TermType(v), TermText(v))
	}
	switch string(text) {
	case "all", "any", "all-with-x", "any-with-x":
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed, "Invalid x-match field value %s; "+
		"expected all, any, all-with-x, or any-with-x", TermText(v))
}

func newPatternID(b *Binding) patternID {
	return patternID{
		end: end{b.Destination, b.ToExchange}, key: b.RoutingKey,
		arguments: string(SortArguments(b.Arguments)),
	}
}

func (x *headersExchange) Bind(b Binding) {
	p := pattern{id: newPatternID(&b)}
	arguments := amqp.Table(p.id.arguments)
	kind, _ := arguments.Lookup(matchArgument)
	match, _ := kind.Text()
	how, countX := strings.CutSuffix(string(match), withX)
	p.any = how == "any"
	arguments.Each(func(key []byte, v amqp.Value) bool {
		k := string(key)
		if k != matchArgument && (countX || !strings.HasPrefix(k, "x-")) {
			p.fields = append(p.fields, field{k, v})
		}
		return true
	})
	x.index[p.id] = len(x.patterns)
	x.patterns = append(x.patterns, p)
}

func (x *headersExchange) Unbind(b Binding) {
	id := newPatternID(&b)
	i, ok := x.index[id]
	if !ok {
		return
	}
	delete(x.index, id)
	last := len(x.patterns) - 1
	if i < last {
		x.patterns[i] = x.patterns[last]
		x.index[x.patterns[i].id] = i
	}
	x.patterns[last] = pattern{}
	x.patterns = x.patterns[:last]
}

func (x *headersExchange) Route(_ []byte, props amqp.RawProperties, to *Targets) {
	to.sortHeaders(props.Headers())
	for i := range x.patterns {
		if p := &x.patterns[i]; p.matches(to.headers) {
			to.Add(p.id.name, p.id.toExchange)
		}
	}
	to.headers = kept(to.headers) // and not what they alias
}

// sortHeaders readies the headers of a message for comparison with many patterns.
func (t *Targets) sortHeaders(headers amqp.Table) {
	headers.Each(func(key []byte, v amqp.Value) bool {
		t.headers = append(t.headers, header{key, v})
		return true
	})
	// Stable, because of a key that occurs twice the first one counts.
	slices.SortStableFunc(t.headers, func(a, b header) int {
		return bytes.Compare(a.key, b.key)
	})
}

// matches goes through both sides once, as both are sorted.
func (p *pattern) matches(headers []header) bool {
	for i := range p.fields {
		f := &p.fields[i]
		for len(headers) > 0 && string(headers[0].key) < f.key {
			headers = headers[1:]
		}
		found := len(headers) > 0 && string(headers[0].key) == f.key &&
			(f.value.Type == amqp.TypeVoid || TermEqual(f.value, headers[0].value))
		if found == p.any {
			return p.any
		}
	}
	return !p.any
}
