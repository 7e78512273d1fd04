package definition

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// Exchange is an exchange as declared. One that the state returns never changes; the caller
// writes to none.
type Exchange struct {
	Name, Type string
	Durable    bool
	// AutoDelete: it goes when the last binding from it goes.
	AutoDelete bool
	// Internal: clients do not publish to it, only exchanges bound to it do.
	Internal  bool
	Arguments amqp.Table
	// ID is unique to the exchange and never given out again, when messages wait in it; it is made
	// up by the caller. 0: none do.
	ID uint64
}

// alternateArgument names the exchange that gets what an exchange cannot route.
const alternateArgument = "alternate-exchange"

// Alternate returns the name of the exchange that gets what e cannot route, as its arguments say,
// "" for none.
func (e *Exchange) Alternate() string {
	v, _ := e.Arguments.Lookup(alternateArgument)
	name, _ := v.Text()
	return string(name)
}

// findAlternate returns the name of the exchange that gets what x cannot route: what its
// arguments say, else its policy, "" for none.
func (x *exchangeNode) findAlternate() string {
	if _, ok := x.Arguments.Lookup(alternateArgument); ok || x.policy.best == nil {
		return x.Alternate()
	}
	v, _ := x.policy.best.Definition.Lookup(alternateKey)
	name, _ := v.Text()
	return string(name)
}

// exchangeNode is an exchange among its bindings.
type exchangeNode struct {
	Exchange
	governed
	kind      *exchange.Type // as it is with the arguments
	router    exchange.Router
	alternate string                 // see findAlternate
	from      map[bindingID]*binding // those whose source it is
	to        bindingList            // those whose destination it is
}

// kindOf returns the type of an exchange as it is with its arguments.
func (v *VHost) kindOf(e *Exchange) (*exchange.Type, *amqp.Error) {
	kind := v.types[e.Type]
	if kind.Declare == nil {
		return kind, nil
	}
	declared, err := kind.With(e.Arguments)
	if err != nil {
		return nil, err
	}
	return &declared, nil
}

func (v *VHost) putExchange(e Exchange, kind *exchange.Type) *exchangeNode {
	e.Arguments = e.Arguments.Clone()
	x := &exchangeNode{
		Exchange: e, kind: kind, router: kind.New(), from: make(map[bindingID]*binding),
		governed: v.govern(onExchanges, e.Name),
	}
	x.alternate = x.findAlternate()
	v.exchanges[e.Name] = x
	return x
}

// DeclareExchange makes an exchange, which takes no memory of the caller's. When there is one
// of that name and all is the same it reports false, when something differs it refuses with
// PRECONDITION_FAILED, as it does when the arguments are wrong. An unknown type is COMMAND_INVALID,
// the default exchange and a new name that begins with "amq." are ACCESS_REFUSED.
func (v *VHost) DeclareExchange(e Exchange) (created bool, err *amqp.Error) {
	if v.types[e.Type] == nil {
		return false, amqp.NewError(amqp.CommandInvalid, "unknown exchange type '%s'", e.Type)
	}
	if e.Name == "" {
		return false, defaultExchange()
	}
	if x := v.exchanges[e.Name]; x != nil {
		return false, v.sameExchange(&x.Exchange, &e)
	}
	if strings.HasPrefix(e.Name, reservedPrefix) {
		return false, reservedName("exchange", e.Name)
	}
	if a, ok := e.Arguments.Lookup(alternateArgument); ok && a.Type != amqp.TypeText {
		return false, amqp.NewError(amqp.PreconditionFailed,
			"invalid type '%s' for arg '%s' in exchange '%s' in vhost '%s'",
			exchange.TermType(a), alternateArgument, e.Name, v.name)
	}
	kind, err := v.kindOf(&e)
	if err != nil {
		return false, err
	}
	v.putExchange(e, kind)
	return true, nil
}

// typeAtom is how RabbitMQ writes a type in reply texts: an atom of Erlang, which has quotes of its
// own if it is more than a word.
func typeAtom(name string) string {
	if strings.Contains(name, "-") {
		return "'" + name + "'"
	}
	return name
}

// sameExchange says in what a declaration differs from the exchange that is there.
func (v *VHost) sameExchange(old, declared *Exchange) *amqp.Error {
	c := comparison{v: v, kind: "exchange", name: old.Name}
	c.text("type", typeAtom(old.Type), typeAtom(declared.Type))
	c.flag("durable", old.Durable, declared.Durable)
	c.flag("auto_delete", old.AutoDelete, declared.AutoDelete)
	c.flag("internal", old.Internal, declared.Internal)
	c.argument(alternateArgument, old.Arguments, declared.Arguments)
	return c.err
}

// CheckExchange returns an exchange, NOT_FOUND when it is not there, or ACCESS_REFUSED for the
// default exchange: the answer to a passive declaration.
func (v *VHost) CheckExchange(name string) (*Exchange, *amqp.Error) {
	if name == "" {
		return nil, defaultExchange()
	}
	x := v.exchanges[name]
	if x == nil {
		return nil, v.noExchange(name)
	}
	return &x.Exchange, nil
}

// CheckPublish tells why a client may not publish to an exchange: it is not there, or
// internal. It does not allocate when the client may.
func (v *VHost) CheckPublish(name []byte) *amqp.Error {
	x := v.exchanges[string(name)]
	if x == nil {
		return v.noExchange(string(name))
	}
	if x.Internal {
		return amqp.NewError(amqp.AccessRefused,
			"cannot publish to internal exchange '%s' in vhost '%s'", name, v.name)
	}
	return nil
}

// DeleteExchange deletes an exchange with all its bindings, and the auto-delete exchanges that
// are left without one. One that is not there is deleted already. With ifUnused it refuses
// with PRECONDITION_FAILED as long as there are bindings from it; predeclared ones, and all
// names like theirs, are ACCESS_REFUSED.
func (v *VHost) DeleteExchange(name string, ifUnused bool) (Removed, *amqp.Error) {
	if name == "" {
		return Removed{}, defaultExchange()
	}
	if strings.HasPrefix(name, reservedPrefix) {
		return Removed{}, amqp.NewError(amqp.AccessRefused,
			"deletion of system exchange '%s' in vhost '%s' not allowed", name, v.name)
	}
	x := v.exchanges[name]
	if x == nil {
		return Removed{}, nil
	}
	if ifUnused && len(x.from) > 0 {
		return Removed{}, amqp.NewError(amqp.PreconditionFailed,
			"exchange '%s' in vhost '%s' in use", name, v.name)
	}
	r := removal{v: v, cascade: true}
	r.exchange(x)
	return r.done(), nil
}

// Exchange returns the exchange of that name, the default one under "".
func (v *VHost) Exchange(name string) (*Exchange, bool) {
	x := v.exchanges[name]
	if x == nil {
		return nil, false
	}
	return &x.Exchange, true
}

// TypeOf returns the type of the exchange of that name as it is with its arguments, nil when there
// is no such exchange. Nobody writes to it.
func (v *VHost) TypeOf(name string) *exchange.Type {
	if x := v.exchanges[name]; x != nil {
		return x.kind
	}
	return nil
}

// Delays tells whether messages may wait in exchanges of the type of that name. It may be called at
// any time.
func (v *VHost) Delays(typeName string) bool {
	t := v.types[typeName]
	return t != nil && t.Delays
}

// Exchanges returns all exchanges in the order of their names, the default one first.
func (v *VHost) Exchanges() []*Exchange {
	list := make([]*Exchange, 0, len(v.exchanges))
	for x := range maps.Values(v.exchanges) {
		list = append(list, &x.Exchange)
	}
	slices.SortFunc(list, func(a, b *Exchange) int { return cmp.Compare(a.Name, b.Name) })
	return list
}
