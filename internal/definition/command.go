package definition

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// Kind is the kind of a Command. The numbers are on disk and never change.
type Kind uint8

// The kinds of commands. Each uses the fields of Command that its comment names.
const (
	PutVHostKind        Kind = 1  // VHost
	DeleteVHostKind     Kind = 2  // VHost
	PutOldUserKind      Kind = 3  // User, but for the algorithm: of before there were several
	DeleteUserKind      Kind = 4  // User.Name
	PutPermissionKind   Kind = 5  // Permission
	ClearPermissionKind Kind = 6  // Permission.User, Permission.VHost
	DeclareExchangeKind Kind = 7  // VHost, Exchange
	DeleteExchangeKind  Kind = 8  // VHost, Exchange.Name
	DeclareQueueKind    Kind = 9  // VHost, Queue
	DeleteQueueKind     Kind = 10 // VHost, Queue.Name
	BindKind            Kind = 11 // VHost, Binding
	UnbindKind          Kind = 12 // VHost, Binding
	PutPolicyKind       Kind = 13 // VHost, Policy
	ClearPolicyKind     Kind = 14 // VHost, Policy.Name

	PutOperatorPolicyKind   Kind = 15 // VHost, Policy
	ClearOperatorPolicyKind Kind = 16 // VHost, Policy.Name

	PutUserKind              Kind = 17 // User
	PutUserLimitsKind        Kind = 18 // User.Name, Limits
	PutTopicPermissionKind   Kind = 19 // Topic
	ClearTopicPermissionKind Kind = 20 // Topic.User, Topic.VHost, Topic.Exchange
	PutMetadataKind          Kind = 21 // VHost, Metadata
	PutVHostLimitsKind       Kind = 22 // VHost, Limits
	PutParameterKind         Kind = 23 // VHost, Parameter
	ClearParameterKind       Kind = 24 // VHost, Parameter.Component, Parameter.Name
	PutGlobalParameterKind   Kind = 25 // Parameter.Name, Parameter.Value
	ClearGlobalParameterKind Kind = 26 // Parameter.Name
)

// Command is a change of what is durable, as it is logged.
type Command struct {
	Kind       Kind
	VHost      string
	User       User
	Permission Permission
	Exchange   Exchange
	Queue      Queue
	Binding    exchange.Binding
	Policy     Policy
	Topic      TopicPermission
	Metadata   Metadata
	Limits     Limits
	Parameter  Parameter
}

// commandVersion is the first byte of every command. A change of the format takes another.
const commandVersion = 1

// What a bit in the byte of flags means. They never change.
const (
	durableFlag    = 1 << 0
	autoDeleteFlag = 1 << 1
	internalFlag   = 1 << 2 // exchanges
	idFlag         = 1 << 3 // exchanges: an id follows
	exclusiveFlag  = 1 << 2 // queues
	toExchangeFlag = 1 << 0 // bindings
	protectedFlag  = 1 << 0 // vhosts
)

// AppendTo appends the command in the form that DecodeCommand reads:
//
//	| version 1 | kind 1 | fields |
//
//	PutVHost, DeleteVHost         vhost
//	PutOldUser                    name, password hash, number of tags, tags
//	PutUser                       name, password hash, number of tags, tags, algorithm
//	DeleteUser                    name
//	PutPermission                 user, vhost, configure, write, read
//	ClearPermission               user, vhost
//	DeclareExchange               vhost, name, type, flags 1, id if flags say so, arguments
//	DeleteExchange, DeleteQueue   vhost, name
//	DeclareQueue                  vhost, name, flags 1, id, owner, arguments
//	Bind, Unbind                  vhost, source, destination, flags 1, key, arguments
//	PutPolicy, PutOperatorPolicy  vhost, name, pattern, apply-to, priority, definition
//	ClearPolicy                   vhost, name
//	ClearOperatorPolicy           vhost, name
//	PutUserLimits                 name, limits
//	PutVHostLimits                vhost, limits: their number, then the name and value of each
//	PutTopicPermission            user, vhost, exchange, write, read
//	ClearTopicPermission          user, vhost, exchange
//	PutMetadata                   vhost, description, default queue type, flags 1, number of
//	                              tags, tags
//	PutParameter                  vhost, component, name, value
//	ClearParameter                vhost, component, name
//	PutGlobalParameter            name, value
//	ClearGlobalParameter          name
//
// Numbers are unsigned varints, but for priorities and limits, which are signed. Text, and a table
// as on the wire, follow their length in bytes. AppendTo panics on a kind that is none of the
// constants.
func (c Command) AppendTo(dst []byte) []byte {
	dst = append(dst, commandVersion, byte(c.Kind))
	switch c.Kind {
	case PutVHostKind, DeleteVHostKind:
		return appendText(dst, c.VHost)
	case PutOldUserKind, PutUserKind:
		dst = appendText(dst, c.User.Name, string(c.User.PasswordHash))
		dst = appendTexts(dst, c.User.Tags)
		if c.Kind == PutUserKind {
			dst = appendText(dst, c.User.Algorithm)
		}
		return dst
	case DeleteUserKind:
		return appendText(dst, c.User.Name)
	case PutPermissionKind:
		p := &c.Permission
		return appendText(dst, p.User, p.VHost, p.Configure, p.Write, p.Read)
	case ClearPermissionKind:
		return appendText(dst, c.Permission.User, c.Permission.VHost)
	case DeclareExchangeKind:
		x := &c.Exchange
		dst = append(appendText(dst, c.VHost, x.Name, x.Type), flag(durableFlag, x.Durable)|
			flag(autoDeleteFlag, x.AutoDelete)|flag(internalFlag, x.Internal)|
			flag(idFlag, x.ID != 0))
		if x.ID != 0 {
			dst = binary.AppendUvarint(dst, x.ID)
		}
		return appendText(dst, string(x.Arguments))
	case DeleteExchangeKind:
		return appendText(dst, c.VHost, c.Exchange.Name)
	case DeclareQueueKind:
		q := &c.Queue
		dst = append(appendText(dst, c.VHost, q.Name), flag(durableFlag, q.Durable)|
			flag(autoDeleteFlag, q.AutoDelete)|flag(exclusiveFlag, q.Exclusive))
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, q.ID), q.Owner)
		return appendText(dst, string(q.Arguments))
	case DeleteQueueKind:
		return appendText(dst, c.VHost, c.Queue.Name)
	case BindKind, UnbindKind:
		b := &c.Binding
		dst = appendText(dst, c.VHost, b.Source, b.Destination)
		dst = append(dst, flag(toExchangeFlag, b.ToExchange))
		return appendText(dst, b.RoutingKey, string(b.Arguments))
	case PutPolicyKind, PutOperatorPolicyKind:
		p := &c.Policy
		dst = appendText(dst, c.VHost, p.Name, p.Pattern, p.ApplyTo)
		return appendText(binary.AppendVarint(dst, p.Priority), string(p.Definition))
	case ClearPolicyKind, ClearOperatorPolicyKind:
		return appendText(dst, c.VHost, c.Policy.Name)
	}
	if fields, ok := c.appendAround(dst); ok {
		return fields
	}
	panic(fmt.Sprintf("definition: no command of kind %d", c.Kind))
}

func appendText(dst []byte, texts ...string) []byte {
	for _, s := range texts {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return dst
}

func appendTexts(dst []byte, list []string) []byte {
	return appendText(binary.AppendUvarint(dst, uint64(len(list))), list...)
}

func flag(bit byte, set bool) byte {
	if set {
		return bit
	}
	return 0
}

// newer is the error for what this version does not know.
func newer(what string, number byte) error {
	return fmt.Errorf("definition: %s %d is of a newer version of warren: start the newer warren "+
		"that wrote it, or restore a backup of before", what, number)
}

// DecodeCommand reads what AppendTo wrote. The command takes no memory of b. Anything else is
// an error: another version, a kind it does not know, an end too early or too late, a table
// that cannot be read.
func DecodeCommand(b []byte) (Command, error) {
	if len(b) < 2 {
		return Command{}, errShort
	}
	if b[0] != commandVersion {
		return Command{}, newer("a command of version", b[0])
	}
	c := Command{Kind: Kind(b[1])}
	r := reader{b: b[2:]}
	c.decode(&r)
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("definition: bytes after the end of a command")
	}
	if r.err != nil {
		return Command{}, r.err
	}
	return c, nil
}

func (c *Command) decode(r *reader) {
	switch c.Kind {
	case PutVHostKind, DeleteVHostKind:
		c.VHost = r.text()
	case PutOldUserKind, PutUserKind:
		c.User.Name, c.User.PasswordHash, c.User.Tags = r.text(), []byte(r.text()), r.texts()
		if c.Kind == PutUserKind {
			c.User.Algorithm = r.text()
		}
	case DeleteUserKind:
		c.User.Name = r.text()
	case PutPermissionKind:
		c.Permission = Permission{r.text(), r.text(), r.text(), r.text(), r.text()}
	case ClearPermissionKind:
		c.Permission.User, c.Permission.VHost = r.text(), r.text()
	case DeclareExchangeKind:
		x := &c.Exchange
		c.VHost, x.Name, x.Type = r.text(), r.text(), r.text()
		flags := r.flags(durableFlag | autoDeleteFlag | internalFlag | idFlag)
		x.Durable, x.AutoDelete = flags&durableFlag != 0, flags&autoDeleteFlag != 0
		x.Internal = flags&internalFlag != 0
		if flags&idFlag != 0 {
			x.ID = r.number()
		}
		x.Arguments = r.table()
	case DeleteExchangeKind:
		c.VHost, c.Exchange.Name = r.text(), r.text()
	case DeclareQueueKind:
		q := &c.Queue
		c.VHost, q.Name = r.text(), r.text()
		flags := r.flags(durableFlag | autoDeleteFlag | exclusiveFlag)
		q.Durable, q.AutoDelete = flags&durableFlag != 0, flags&autoDeleteFlag != 0
		q.Exclusive = flags&exclusiveFlag != 0
		q.ID, q.Owner, q.Arguments = r.number(), r.number(), r.table()
	case DeleteQueueKind:
		c.VHost, c.Queue.Name = r.text(), r.text()
	case BindKind, UnbindKind:
		b := &c.Binding
		c.VHost, b.Source, b.Destination = r.text(), r.text(), r.text()
		b.ToExchange = r.flags(toExchangeFlag) != 0
		b.RoutingKey, b.Arguments = r.text(), r.table()
	case PutPolicyKind, PutOperatorPolicyKind:
		p := &c.Policy
		c.VHost, p.Name, p.Pattern, p.ApplyTo = r.text(), r.text(), r.text(), r.text()
		p.Priority, p.Definition = r.signed(), r.table()
	case ClearPolicyKind, ClearOperatorPolicyKind:
		c.VHost, c.Policy.Name = r.text(), r.text()
	default:
		c.decodeAround(r)
	}
}

var errShort = errors.New("definition: command ends too early")

// reader takes a command apart. After the first mistake all that it returns is empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.b, r.err = nil, err
	}
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) signed() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.fail(errShort)
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) texts() []string {
	n := r.number()
	if n > uint64(len(r.b)) { // each takes a byte at least
		r.fail(errShort)
		return nil
	}
	var list []string
	for range n {
		list = append(list, r.text())
	}
	return list
}

func (r *reader) flags(known byte) byte {
	if len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	flags := r.b[0]
	r.b = r.b[1:]
	if flags&^known != 0 {
		r.fail(newer("a command with flags", flags&^known))
		return 0
	}
	return flags
}

func (r *reader) table() amqp.Table {
	t := amqp.Table(r.text())
	if len(t) == 0 {
		return nil
	}
	if err := t.Validate(); err != nil {
		r.fail(fmt.Errorf("definition: arguments: %w", err))
		return nil
	}
	return t
}
