package definition

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// Queue is a queue as declared. One that the state returns never changes; the caller writes to
// none.
type Queue struct {
	// ID is given by the caller and never used for another queue.
	ID   uint64
	Name string
	// Durable is false in every exclusive queue: it does not outlive its connection.
	Durable, AutoDelete, Exclusive bool
	// Generated is set by the caller when the server made the name, which may then begin with
	// "amq.". It only matters to the declaration, and is not kept.
	Generated bool
	// Owner is the connection that an exclusive queue belongs to, 0 in others.
	Owner     uint64
	Arguments amqp.Table
	// Type follows from the arguments: "classic" or "quorum".
	Type string
}

// queueNode is a queue among its bindings, all but the one from the default exchange, which
// goes without saying.
type queueNode struct {
	Queue
	governed
	to bindingList
}

// DeclareQueue makes a queue, which takes no memory of the caller's. When there is one of that
// name and all is the same it returns that; the declaration is refused with RESOURCE_LOCKED
// when it differs in who may use the queue, with PRECONDITION_FAILED when in anything else.
// Where arguments name no type, one that does without exceptions is given the default type of the
// vhost or the node. A new queue is refused with PRECONDITION_FAILED when the vhost has as many as
// its limit allows. Names that begin with "amq." are ACCESS_REFUSED unless generated, and arguments
// that make no sense are PRECONDITION_FAILED; arguments nobody knows are kept. The Owner of a
// declaration that is not exclusive does not matter.
func (v *VHost) DeclareQueue(q Queue) (declared *Queue, created bool, err *amqp.Error) {
	if err := checkQueueName(&q); err != nil {
		return nil, false, err
	}
	if q.Exclusive {
		q.Durable = false
	} else {
		q.Owner = 0
	}
	old := v.queues[q.Name]
	v.giveType(&q, old)
	if old != nil {
		if err := v.sameQueue(&old.Queue, &q); err != nil {
			return nil, false, err
		}
		return &old.Queue, false, nil
	}
	if limit, reached := v.limits.Reached(MaxQueues, len(v.queues)); reached {
		return nil, false, amqp.NewError(amqp.PreconditionFailed,
			"cannot declare queue '%s': queue limit in vhost '%s' (%d) is reached", q.Name, v.name,
			limit)
	}
	kind, err := v.checkArguments(q.Name, q.Arguments)
	if err != nil {
		return nil, false, err
	}
	if err := v.checkProperties(&q, kind); err != nil {
		return nil, false, err
	}
	return v.putQueue(q, kind), true, nil
}

// giveType gives a declaration that names no type the default one, unless a queue of that type
// could not be as it is declared, or there is a queue of that name that was declared without.
func (v *VHost) giveType(q *Queue, old *queueNode) {
	name := cmp.Or(v.metadata.DefaultQueueType, v.node.queueType)
	if name == "" {
		return
	}
	if _, says := q.Arguments.Lookup(typeArgument); says {
		return
	}
	if old != nil {
		if _, said := old.Arguments.Lookup(typeArgument); !said {
			return
		}
	}
	plain := q.Durable && !q.AutoDelete && !q.Exclusive && !q.Generated
	if kind := queueTypes[name]; plain || !kind.durableOnly {
		q.Arguments = q.Arguments.Clone().AppendText(typeArgument, name)
	}
}

func checkQueueName(q *Queue) *amqp.Error {
	switch {
	case q.Name == "":
		return amqp.NewError(amqp.PreconditionFailed, "queue has no name")
	case q.Generated:
		if kind, ok := typeOf(q.Arguments); ok && kind.durableOnly {
			return amqp.NewError(amqp.PreconditionFailed,
				"Cannot declare a server-named queue for type %s", kind.module)
		}
	case strings.HasPrefix(q.Name, reservedPrefix):
		return reservedName("queue", q.Name)
	}
	return nil
}

func (v *VHost) checkProperties(q *Queue, kind *queueType) *amqp.Error {
	if !kind.durableOnly {
		return nil
	}
	property := ""
	switch {
	case q.AutoDelete:
		property = "auto-delete"
	case q.Exclusive:
		property = "exclusive-owner"
	case !q.Durable:
		property = "non-durable"
	default:
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed,
		"invalid property '%s' for queue '%s' in vhost '%s'", property, q.Name, v.name)
}

func (v *VHost) putQueue(q Queue, kind *queueType) *Queue {
	q.Arguments, q.Type, q.Generated = q.Arguments.Clone(), kind.name, false
	node := &queueNode{Queue: q, governed: v.govern(kind.kind, q.Name)}
	v.queues[q.Name] = node
	return &node.Queue
}

// sameQueue says in what a declaration differs from the queue that is there.
func (v *VHost) sameQueue(old, declared *Queue) *amqp.Error {
	if old.Owner != declared.Owner || old.Exclusive != declared.Exclusive {
		return v.locked(old.Name)
	}
	c := comparison{v: v, kind: "queue", name: old.Name}
	c.flag("durable", old.Durable, declared.Durable)
	c.flag("auto_delete", old.AutoDelete, declared.AutoDelete)
	for _, key := range queueTypes[old.Type].arguments {
		c.argument(key, old.Arguments, declared.Arguments)
	}
	return c.err
}

func (v *VHost) locked(queue string) *amqp.Error {
	return amqp.NewError(amqp.ResourceLocked, "cannot obtain exclusive access to locked queue "+
		"'%s' in vhost '%s'. It could be originally declared on another connection or the "+
		"exclusive property value does not match that of the original declaration.", queue, v.name)
}

// mayUse tells why a connection may not use a queue: it is exclusive to another.
func (v *VHost) mayUse(q *Queue, owner uint64) *amqp.Error {
	if q.Exclusive && q.Owner != owner {
		return v.locked(q.Name)
	}
	return nil
}

// CheckQueue returns the queue that a connection names, NOT_FOUND when it is not there, or
// RESOURCE_LOCKED when it is exclusive to another connection.
func (v *VHost) CheckQueue(name string, owner uint64) (*Queue, *amqp.Error) {
	q := v.queues[name]
	if q == nil {
		return nil, v.noQueue(name)
	}
	if err := v.mayUse(&q.Queue, owner); err != nil {
		return nil, err
	}
	return &q.Queue, nil
}

// DeleteQueue deletes a queue with all its bindings, and the auto-delete exchanges that are
// left without one. One that is not there is deleted already. Who may do so, and whether the
// queue is in use or empty, is for the caller to check.
func (v *VHost) DeleteQueue(name string) Removed {
	r := removal{v: v, cascade: true}
	r.queue(v.queues[name])
	return r.done()
}

// Queue returns the queue of that name.
func (v *VHost) Queue(name string) (*Queue, bool) {
	q := v.queues[name]
	if q == nil {
		return nil, false
	}
	return &q.Queue, true
}

// Queues returns all queues in the order of their names.
func (v *VHost) Queues() []*Queue {
	list := make([]*Queue, 0, len(v.queues))
	for q := range maps.Values(v.queues) {
		list = append(list, &q.Queue)
	}
	slices.SortFunc(list, func(a, b *Queue) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// comparison of a declaration with what is there stops at the first difference.
type comparison struct {
	v          *VHost
	kind, name string
	err        *amqp.Error
}

func (c *comparison) differs(key, received, current string) {
	c.err = amqp.NewError(amqp.PreconditionFailed,
		"inequivalent arg '%s' for %s '%s' in vhost '%s': received %s but current is %s",
		key, c.kind, c.name, c.v.name, received, current)
}

func (c *comparison) text(key, old, declared string) {
	if c.err == nil && old != declared {
		c.differs(key, "'"+declared+"'", "'"+old+"'")
	}
}

func (c *comparison) flag(key string, old, declared bool) {
	words := map[bool]string{true: "true", false: "false"}
	c.text(key, words[old], words[declared])
}

// argument compares one argument. Integers are equal whatever their types; an integer and a
// float are not.
func (c *comparison) argument(key string, old, declared amqp.Table) {
	if c.err != nil || len(old) == 0 && len(declared) == 0 {
		return
	}
	a, had := old.Lookup(key)
	b, has := declared.Lookup(key)
	switch {
	case !had && !has || key == typeArgument && isDefaultType(a, had) && isDefaultType(b, has):
	case had && has:
		_, aFloat := a.Float64()
		_, bFloat := b.Float64()
		if aFloat != bFloat || !exchange.TermEqual(a, b) {
			c.differs(key, "'"+plainText(b)+"'", "'"+plainText(a)+"'")
		}
	default:
		c.differs(key, describe(b, has), describe(a, had))
	}
}

// plainText returns text as it is, and other values as they are printed.
func plainText(v amqp.Value) string {
	if v.Type == amqp.TypeText || v.Type == amqp.TypeBytes {
		return string(v.Data)
	}
	return exchange.TermText(v)
}

func describe(v amqp.Value, present bool) string {
	if !present {
		return "none"
	}
	return "the value '" + plainText(v) + "' of type '" + exchange.TermType(v) + "'"
}
