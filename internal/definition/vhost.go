package definition

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// VHost is a virtual host: a name space of exchanges, queues and bindings.
type VHost struct {
	name      string
	types     map[string]*exchange.Type
	exchanges map[string]*exchangeNode
	queues    map[string]*queueNode

	policies, operatorPolicies policySet

	node *nodeDefaults // of the State

	metadata   Metadata
	limits     Limits
	parameters map[parameterID]Parameter
}

// predeclared are the exchanges every vhost has. They are durable, and nobody deletes them.
var predeclared = []struct {
	name, kind string
	internal   bool
}{
	{name: "", kind: "direct"},
	{name: "amq.direct", kind: "direct"},
	{name: "amq.fanout", kind: "fanout"},
	{name: "amq.topic", kind: "topic"},
	{name: "amq.headers", kind: "headers"},
	{name: "amq.match", kind: "headers"},
	{name: "amq.rabbitmq.trace", kind: "topic", internal: true},
}

func newVHost(name string, types map[string]*exchange.Type) *VHost {
	v := &VHost{
		name: name, types: types,
		exchanges: make(map[string]*exchangeNode), queues: make(map[string]*queueNode),
		operatorPolicies: policySet{operator: true},
	}
	for _, p := range predeclared {
		if kind := types[p.kind]; kind != nil {
			e := Exchange{Name: p.name, Type: p.kind, Durable: true, Internal: p.internal}
			v.putExchange(e, kind)
		}
	}
	return v
}

// isPredeclared tells whether a vhost has an exchange of that name from the beginning.
func isPredeclared(name string) bool {
	for i := range predeclared {
		if predeclared[i].name == name {
			return true
		}
	}
	return false
}

// Clear takes everything out of the vhost, the predeclared exchanges too: nothing is declared in it
// any more.
func (v *VHost) Clear() {
	clear(v.exchanges)
	clear(v.queues)
	v.policies, v.operatorPolicies = policySet{}, policySet{operator: true}
	v.metadata, v.limits, v.parameters = Metadata{}, nil, nil
}

// Name returns the name of the vhost.
func (v *VHost) Name() string { return v.name }

// reservedPrefix begins names that only the server gives.
const reservedPrefix = "amq."

func (v *VHost) noExchange(name string) *amqp.Error {
	return amqp.NewError(amqp.NotFound, "no exchange '%s' in vhost '%s'", name, v.name)
}

func (v *VHost) noQueue(name string) *amqp.Error {
	return amqp.NewError(amqp.NotFound, "no queue '%s' in vhost '%s'", name, v.name)
}

func reservedName(kind, name string) *amqp.Error {
	return amqp.NewError(amqp.AccessRefused,
		"%s name '%s' contains reserved prefix 'amq.*'", kind, name)
}

func defaultExchange() *amqp.Error {
	return amqp.NewError(amqp.AccessRefused, "operation not permitted on the default exchange")
}

// Removed is what went with something deleted, that included: exchanges, queues by name, and
// every binding that had an end there.
type Removed struct {
	Exchanges []*Exchange
	Queues    []string
	Bindings  []exchange.Binding
}
