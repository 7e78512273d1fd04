package definition

import (
	"fmt"
	"regexp"

	"github.com/warrenmq/warren/internal/exchange"
)

// Replay applies a logged command without the checks that a client's request goes through.
// Only what changed something is logged. A log, or the end of it, may be replayed on a state
// that has seen it and gives the same state: what is there already stays as it is, what is
// missing is deleted already, and what belongs to a vhost, user, exchange or queue that is
// missing is passed over, as the command that deleted that is still to come. Only what is
// named goes; an auto-delete exchange that went has a command of its own. An error means that
// the log cannot be used: it needs an exchange type that is not here, or is not what AppendTo
// wrote.
func (s *State) Replay(c Command) error {
	switch c.Kind {
	case PutVHostKind:
		s.PutVHost(c.VHost)
	case DeleteVHostKind:
		s.DeleteVHost(c.VHost)
	case PutUserKind:
		s.PutUser(c.User)
	case DeleteUserKind:
		s.DeleteUser(c.User.Name)
	case PutPermissionKind:
		_ = s.PutPermission(c.Permission)
	case ClearPermissionKind:
		s.ClearPermission(c.Permission.User, c.Permission.VHost)
	default:
		if v := s.vhosts[c.VHost]; v != nil {
			return v.replay(&c)
		}
	}
	return nil
}

func (v *VHost) replay(c *Command) error {
	r := removal{v: v}
	switch c.Kind {
	case DeclareExchangeKind:
		return v.replayExchange(&c.Exchange)
	case DeleteExchangeKind:
		if x := v.exchanges[c.Exchange.Name]; x != nil && !isPredeclared(x.Name) {
			r.exchange(x)
		}
	case DeclareQueueKind:
		return v.replayQueue(c.Queue)
	case DeleteQueueKind:
		r.queue(v.queues[c.Queue.Name])
	case BindKind:
		return v.replayBind(c.Binding)
	case UnbindKind:
		if n := v.find(c.Binding); n != nil {
			r.binding(n)
		}
	case PutPolicyKind:
		return v.replayPolicy(&c.Policy)
	case ClearPolicyKind:
		v.ClearPolicy(c.Policy.Name)
	default:
		return fmt.Errorf("definition: no command of kind %d", c.Kind)
	}
	return nil
}

func (v *VHost) replayPolicy(p *Policy) error {
	pattern, err := regexp.Compile(p.Pattern)
	if err != nil {
		return fmt.Errorf("definition: policy %q in vhost %q: %w", p.Name, v.name, err)
	}
	v.putPolicy(*p, pattern)
	return nil
}

func (v *VHost) replayExchange(x *Exchange) error {
	if v.exchanges[x.Name] != nil {
		return nil
	}
	if v.types[x.Type] == nil {
		return fmt.Errorf("definition: exchange %q in vhost %q has the unknown type %q",
			x.Name, v.name, x.Type)
	}
	v.putExchange(*x)
	return nil
}

func (v *VHost) replayQueue(q Queue) error {
	if v.queues[q.Name] != nil {
		return nil
	}
	kind, ok := typeOf(q.Arguments)
	if !ok {
		return fmt.Errorf("definition: queue %q in vhost %q has an unknown type", q.Name, v.name)
	}
	v.putQueue(q, kind)
	return nil
}

func (v *VHost) replayBind(b exchange.Binding) error {
	if touchesDefault(&b) {
		return fmt.Errorf("definition: binding of the default exchange in vhost %q", v.name)
	}
	source, list, missing := v.ends(&b)
	if missing != nil {
		return nil
	}
	if source.kind.Validate != nil {
		if err := source.kind.Validate(b); err != nil {
			return fmt.Errorf("definition: binding of exchange %q in vhost %q: %w",
				b.Source, v.name, err)
		}
	}
	v.putBinding(source, list, b)
	return nil
}

// Snapshot emits the commands that make a new state with all that is durable in this one:
// vhosts, users, permissions, policies, durable exchanges but the predeclared ones, durable
// queues, and the bindings whose both ends are durable. Their order depends only on what there is.
// The commands share memory with the state: nobody writes to them.
func (s *State) Snapshot(emit func(Command)) {
	for _, name := range s.VHosts() {
		emit(Command{Kind: PutVHostKind, VHost: name})
	}
	for _, name := range s.Users() {
		emit(Command{Kind: PutUserKind, User: s.users[name]})
	}
	for _, p := range s.Permissions() {
		emit(Command{Kind: PutPermissionKind, Permission: p})
	}
	for _, name := range s.VHosts() {
		s.vhosts[name].snapshot(emit)
	}
}

func (v *VHost) snapshot(emit func(Command)) {
	for _, p := range v.Policies() {
		emit(Command{Kind: PutPolicyKind, VHost: v.name, Policy: p})
	}
	for _, x := range v.Exchanges() {
		if x.Durable && !isPredeclared(x.Name) {
			emit(Command{Kind: DeclareExchangeKind, VHost: v.name, Exchange: *x})
		}
	}
	for _, q := range v.Queues() {
		if q.Durable {
			emit(Command{Kind: DeclareQueueKind, VHost: v.name, Queue: *q})
		}
	}
	for _, b := range v.Bindings() {
		if b.Source != "" && v.Durable(b) {
			emit(Command{Kind: BindKind, VHost: v.name, Binding: b})
		}
	}
}
