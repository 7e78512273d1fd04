package exchange

import (
	"errors"
	"math/bits"
	"slices"
	"strconv"

	"github.com/warrenmq/warren/amqp"
)

// consistentHash routes each message to one destination, chosen by a hash of its routing key, of a
// header or of a property. The key of a binding is its weight: with twice the weight a destination
// gets twice as many keys. When a destination is bound, only keys that become its own move.
//
// The destinations stand in the order in which they were bound, each over as many buckets as it
// has weight. The buckets are not kept one by one: what weights sum up to is in a tree, so that a
// weight of a thousand million costs what a weight of 1 does.
type consistentHash struct {
	hashOn hashSource
	places []place
	sums   fenwick // of the weights of places
	index  map[end]int
	vacant int // places without a destination
}

// place is where a destination stands.
type place struct {
	end
	weight int64
	// bindings lead there: the first counts, as in RabbitMQ.
	bindings []patternID
}

// WeightMax is the greatest weight a binding to a consistent hash exchange may have.
const WeightMax = 1<<31 - 1

const (
	hashHeaderArgument   = "hash-header"
	hashPropertyArgument = "hash-property"
)

// hashSource is what of a message is hashed: its key when there is neither header nor property.
type hashSource struct {
	header   string
	property func(amqp.RawProperties) ([]byte, bool)
	byHeader bool
	byTime   bool
}

func consistentHashType() Type {
	t := Type{Name: "x-consistent-hash", KeyOnly: true, Validate: validateWeight}
	t.New = func() Router { return newConsistentHash(hashSource{}) }
	t.Declare = func(arguments amqp.Table) (Type, *amqp.Error) {
		source, err := newHashSource(arguments)
		if err != nil {
			return Type{}, err
		}
		declared := t
		declared.KeyOnly = !source.byHeader && !source.byTime && source.property == nil
		declared.New = func() Router { return newConsistentHash(source) }
		return declared, nil
	}
	return t
}

func newHashSource(arguments amqp.Table) (s hashSource, err *amqp.Error) {
	header, byHeader, err := hashArgument(arguments, hashHeaderArgument)
	if err != nil {
		return s, err
	}
	property, byProperty, err := hashArgument(arguments, hashPropertyArgument)
	switch {
	case err != nil:
		return s, err
	case byHeader && byProperty:
		return s, amqp.NewError(amqp.PreconditionFailed,
			"hash-header and hash-property are mutually exclusive")
	case byHeader:
		return hashSource{header: header, byHeader: true}, nil
	case !byProperty:
		return s, nil
	}
	switch property {
	case "message_id":
		s.property = amqp.RawProperties.MessageID
	case "correlation_id":
		s.property = amqp.RawProperties.CorrelationID
	case "timestamp":
		s.byTime = true
	default:
		return s, amqp.NewError(amqp.PreconditionFailed, "Unsupported property: %s", property)
	}
	return s, nil
}

// hashArgument returns an argument that is a text. RabbitMQ closes the connection with
// INTERNAL_ERROR when it is anything else.
func hashArgument(arguments amqp.Table, name string) (text string, ok bool, err *amqp.Error) {
	v, ok := arguments.Lookup(name)
	if !ok {
		return "", false, nil
	}
	data, isText := v.Text()
	if !isText {
		return "", false, amqp.NewError(amqp.PreconditionFailed,
			"Invalid %s field type %s (value %s); expected longstr", name, TermType(v), TermText(v))
	}
	return string(data), true, nil
}

// validateWeight checks that the key of a binding is a weight.
func validateWeight(b Binding) *amqp.Error {
	n, err := strconv.ParseInt(b.RoutingKey, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		v := amqp.Value{Type: amqp.TypeText, Data: []byte(b.RoutingKey)}
		return amqp.NewError(amqp.PreconditionFailed,
			"The binding key must be an integer: %s", TermText(v))
	}
	if n < 1 { // also when it is less than an int64 can be
		return amqp.NewError(amqp.PreconditionFailed, "The binding key must be greater than 0")
	}
	if n > WeightMax {
		return amqp.NewError(amqp.PreconditionFailed,
			"The binding key must be at most %d", WeightMax)
	}
	return nil
}

func newConsistentHash(source hashSource) *consistentHash {
	return &consistentHash{hashOn: source, index: make(map[end]int)}
}

// weight returns what the key of a binding says, which validateWeight has seen.
func (id *patternID) weight() int64 {
	n, _ := strconv.ParseInt(id.key, 10, 64)
	return n
}

func (x *consistentHash) Bind(b Binding) {
	id := newPatternID(&b)
	if i, ok := x.index[id.end]; ok {
		x.places[i].bindings = append(x.places[i].bindings, id)
		return
	}
	x.index[id.end] = len(x.places)
	x.places = append(x.places, place{id.end, id.weight(), []patternID{id}})
	x.sums.append(id.weight())
}

func (x *consistentHash) Unbind(b Binding) {
	id := newPatternID(&b)
	i, ok := x.index[id.end]
	if !ok {
		return
	}
	p := &x.places[i]
	at := slices.Index(p.bindings, id)
	if at < 0 {
		return
	}
	if p.bindings = slices.Delete(p.bindings, at, at+1); at > 0 {
		return
	}
	weight := int64(0)
	if len(p.bindings) > 0 {
		weight = p.bindings[0].weight()
	}
	x.sums.add(i, weight-p.weight)
	p.weight = weight
	if weight == 0 {
		delete(x.index, id.end)
		*p = place{}
		x.vacant++
		x.closeRanks()
	}
}

// closeRanks drops vacant places when they are more than the others. They have no buckets, so that
// nothing moves.
func (x *consistentHash) closeRanks() {
	if x.vacant <= len(x.places)/2 {
		return
	}
	taken := make([]place, 0, len(x.places)-x.vacant)
	x.sums = fenwick{}
	for _, p := range x.places {
		if p.weight > 0 {
			x.index[p.end] = len(taken)
			taken = append(taken, p)
			x.sums.append(p.weight)
		}
	}
	x.places, x.vacant = taken, 0
}

func (x *consistentHash) Route(key []byte, props amqp.RawProperties, to *Targets) {
	total := x.sums.total()
	if total == 0 {
		return
	}
	p := &x.places[x.sums.find(jump(x.hashOn.hash(key, props), total))]
	to.Add(p.name, p.toExchange)
}

// hash is of what counts of a message. All that do not have it have the same.
func (s *hashSource) hash(key []byte, props amqp.RawProperties) uint64 {
	switch {
	case s.byHeader:
		if v, ok := props.Headers().Lookup(s.header); ok {
			return hashValue(v)
		}
		return 0
	case s.byTime:
		if t, ok := props.Timestamp(); ok {
			return hashNumber(int64(t))
		}
		return 0
	case s.property != nil:
		text, ok := s.property(props)
		if !ok {
			return 0
		}
		return hashText(text)
	}
	return hashText(key)
}

// fenwick is a list of numbers, none negative, that knows what those up to a position sum up to
// (a Fenwick tree). Everything takes as many steps as the length has bits.
type fenwick struct {
	tree []int64 // [i-1] is the sum of the numbers from i-(i&-i) to i-1
}

func (f *fenwick) append(n int64) {
	i := len(f.tree) + 1
	for j := i - 1; j > i-i&-i; j -= j & -j {
		n += f.tree[j-1]
	}
	f.tree = append(f.tree, n)
}

// add changes the number at a position.
func (f *fenwick) add(at int, n int64) {
	for i := at + 1; i <= len(f.tree); i += i & -i {
		f.tree[i-1] += n
	}
}

func (f *fenwick) total() (sum int64) {
	for i := len(f.tree); i > 0; i -= i & -i {
		sum += f.tree[i-1]
	}
	return sum
}

// find returns the position of the number that n falls into when they are laid end to end; n is
// less than the total.
func (f *fenwick) find(n int64) int {
	at := 0
	for step := 1 << (bits.Len(uint(len(f.tree))) - 1); step > 0; step >>= 1 {
		if next := at + step; next <= len(f.tree) && f.tree[next-1] <= n {
			at = next
			n -= f.tree[next-1]
		}
	}
	return at
}
