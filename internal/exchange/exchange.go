// Package exchange decides where a message goes: bindings, and the exchange types that match
// them against a routing key and headers.
//
// Floor 2: pure rules. A file per type; Standard lists them, and a new type is one more file
// and one more line there. An exchange has one Router, which is told of each binding that
// comes and goes:
//
//	r := t.New()
//	r.Bind(exchange.Binding{Source: "logs", Destination: "q", RoutingKey: "kern.*"})
//	var to exchange.Targets // kept and reused by the caller
//	to.Reset()
//	r.Route([]byte("kern.critical"), nil, &to)
//	to.Queues() // [q]
//
// That a binding may be made at all, and what follows from an exchange bound to another one,
// is decided by package definition.
package exchange

import "github.com/warrenmq/warren/amqp"

// Router holds the bindings of one exchange and finds those that match. Bind and Unbind need
// exclusive use; Route may be called concurrently as long as nobody changes the bindings, by
// each caller with Targets of its own. Nothing is kept of the arguments of Route but what the
// Targets say.
type Router interface {
	// Bind adds a binding that is not there yet and has passed the type's Validate. The
	// router keeps its strings and its arguments.
	Bind(Binding)
	// Unbind removes a binding that is there.
	Unbind(Binding)
	// Route adds the destination of every binding that matches to the targets, or of one that is
	// chosen among them, as the type has it.
	Route(key []byte, props amqp.RawProperties, to *Targets)
}

// Type is an exchange type.
type Type struct {
	// Name is what clients declare.
	Name string
	// KeyOnly is set when routing depends on the bindings and the routing key alone, so that
	// results may be cached by key as long as the bindings do not change.
	KeyOnly bool
	// AnyKey is set when routing does not look at the routing key.
	AnyKey bool
	// History is how many messages that went through the exchange are kept for who is bound later;
	// 0: none is.
	History int
	// Chooses is set when a message goes to one of the bindings, by its own routing key if by any:
	// other keys that it is routed by do not count.
	Chooses bool
	// Topics is set when routing keys are topics: topic permissions narrow who may use which.
	Topics bool
	// Delays is set when a message may have to wait before it is routed: as long as DelayOf says.
	Delays bool
	// New returns a router without bindings.
	New func() Router
	// Validate says what is wrong with a binding's arguments, nil for nothing. Where the
	// function itself is nil, all arguments are good.
	Validate func(Binding) *amqp.Error
	// Declare returns the type as it is for an exchange with these arguments, or what is wrong
	// with them. Where the function itself is nil, they mean nothing to the type.
	Declare func(arguments amqp.Table) (Type, *amqp.Error)
}

// With returns the type as it is for an exchange with these arguments, or what is wrong with them.
func (t Type) With(arguments amqp.Table) (Type, *amqp.Error) {
	if t.Declare == nil {
		return t, nil
	}
	return t.Declare(arguments)
}

// Standard returns the types of the AMQP specification (direct, fanout, topic and headers), and
// those of RabbitMQ's plug-ins.
func Standard() []Type {
	types := []Type{
		{Name: "direct", KeyOnly: true, New: newDirect},
		{Name: "fanout", KeyOnly: true, AnyKey: true, New: newFanout},
		{Name: "topic", KeyOnly: true, Topics: true, New: newTopic},
		{Name: "headers", AnyKey: true, New: newHeaders, Validate: validateHeaders},
		consistentHashType(),
		{Name: "x-modulus-hash", KeyOnly: true, Chooses: true, New: newModulusHash},
		{Name: "x-random", Chooses: true, New: newRandom},
		recentHistoryType(),
	}
	return append(types, delayedType(types))
}
