package exchange

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/warrenmq/warren/amqp"
)

// consistentHash routes each message to one destination, chosen by a hash of its routing key, of a
// header or of a property. The key of a binding is its weight: with twice the weight a destination
// gets twice as many keys. When one is bound, only keys that become its own move; when one is
// unbound, only those that were.
//
// Each destination draws a number for each hash, and the least wins (weighted rendezvous hashing).
// So what goes where depends on what is bound, and not on the order in which that was done, which a
// restart may change. A great weight costs no more than a small one.
type consistentHash struct {
	hashOn hashSource
	places []place
	index  map[end]int // positions in places
}

// place is a destination.
type place struct {
	end
	salt     uint64             // of its draws
	share    float64            // 1 divided by the weight
	bindings []*weightedBinding // which lead there, by weight: the last one counts
}

type weightedBinding struct {
	patternID
	weight int64
}

func newWeightedBinding(b *Binding) *weightedBinding {
	weight, _ := strconv.ParseInt(b.RoutingKey, 10, 64) // validateWeight has seen it
	return &weightedBinding{newPatternID(b), weight}
}

func compareWeights(a, b *weightedBinding) int {
	return cmp.Or(cmp.Compare(a.weight, b.weight), comparePatternIDs(&a.patternID, &b.patternID))
}

func (p *place) weigh() { p.share = 1 / float64(p.bindings[len(p.bindings)-1].weight) }

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
	t := Type{
		Name: "x-consistent-hash", KeyOnly: true, Chooses: true, Validate: validateWeight,
	}
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

func (x *consistentHash) Bind(b Binding) {
	w := newWeightedBinding(&b)
	i, ok := x.index[w.end]
	if !ok {
		i = len(x.places)
		x.index[w.end] = i
		x.places = append(x.places, place{end: w.end, salt: w.end.salt()})
	}
	p := &x.places[i]
	at, _ := slices.BinarySearchFunc(p.bindings, w, compareWeights)
	p.bindings = slices.Insert(p.bindings, at, w)
	p.weigh()
}

// salt is a number of the destination's own.
func (e end) salt() uint64 {
	if e.toExchange {
		return hashText([]byte(e.name)) + 1
	}
	return hashText([]byte(e.name))
}

func (x *consistentHash) Unbind(b Binding) {
	w := newWeightedBinding(&b)
	i, ok := x.index[w.end]
	if !ok {
		return
	}
	p := &x.places[i]
	at, ok := slices.BinarySearchFunc(p.bindings, w, compareWeights)
	if !ok {
		return
	}
	if p.bindings = slices.Delete(p.bindings, at, at+1); len(p.bindings) > 0 {
		p.weigh()
		return
	}
	delete(x.index, w.end)
	last := len(x.places) - 1
	if i < last {
		x.places[i] = x.places[last]
		x.index[x.places[i].end] = i
	}
	x.places[last] = place{}
	x.places = x.places[:last]
}

func (x *consistentHash) Route(key []byte, props amqp.RawProperties, to *Targets) {
	if len(x.places) == 0 {
		return
	}
	hash := x.hashOn.hash(key, props)
	best, least := 0, math.Inf(1)
	for i := range x.places {
		p := &x.places[i]
		// Of a number from 0 to 1 with each as likely, the negative logarithm, divided by the
		// weight, is least as often as the weight says. It is at least 1 minus the number: most
		// often that tells enough.
		u := (float64(mix(hash^p.salt)>>11) + 0.5) / (1 << 53)
		if (1-u)*p.share >= least {
			continue
		}
		if draw := -math.Log(u) * p.share; draw < least {
			best, least = i, draw
		}
	}
	to.Add(x.places[best].name, x.places[best].toExchange)
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
