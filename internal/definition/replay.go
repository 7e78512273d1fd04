package definition

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/pattern"
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
	case PutOldUserKind, PutUserKind:
		s.PutUser(c.User)
	case DeleteUserKind:
		s.DeleteUser(c.User.Name)
	case PutPermissionKind:
		_ = s.PutPermission(c.Permission)
	case ClearPermissionKind:
		s.ClearPermission(c.Permission.User, c.Permission.VHost)
	case PutUserLimitsKind:
		_ = s.PutUserLimits(c.User.Name, c.Limits)
	case PutTopicPermissionKind:
		_ = s.PutTopicPermission(c.Topic)
	case ClearTopicPermissionKind:
		s.ClearTopicPermission(c.Topic)
	case PutGlobalParameterKind:
		s.PutGlobalParameter(c.Parameter)
	case ClearGlobalParameterKind:
		s.ClearGlobalParameter(c.Parameter.Name)
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
		return v.replayPolicy(&v.policies, &c.Policy)
	case ClearPolicyKind:
		v.ClearPolicy(c.Policy.Name)
	case PutOperatorPolicyKind:
		return v.replayPolicy(&v.operatorPolicies, &c.Policy)
	case ClearOperatorPolicyKind:
		v.ClearOperatorPolicy(c.Policy.Name)
	case PutMetadataKind:
		v.PutMetadata(c.Metadata)
	case PutVHostLimitsKind:
		v.PutLimits(c.Limits)
	case PutParameterKind:
		v.PutParameter(c.Parameter)
	case ClearParameterKind:
		v.ClearParameter(c.Parameter.Component, c.Parameter.Name)
	default:
		return fmt.Errorf("definition: no command of kind %d", c.Kind)
	}
	return nil
}

func (v *VHost) replayPolicy(set *policySet, p *Policy) error {
	compiled, err := pattern.Compile(p.Pattern)
	if err != nil {
		return fmt.Errorf("definition: policy %q in vhost %q: %w", p.Name, v.name, err)
	}
	v.putPolicy(set, *p, compiled)
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
	kind, err := v.kindOf(x)
	if err != nil {
		return fmt.Errorf("definition: exchange %q in vhost %q: %w", x.Name, v.name, err)
	}
	v.putExchange(*x, kind)
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
// vhosts with their metadata, limits and parameters, users with their limits, permissions,
// policies, global parameters, durable exchanges but the predeclared ones, durable queues, and the
// bindings whose both ends are durable. Their order depends only on what there is.
// The commands share memory with the state: nobody writes to them.
func (s *State) Snapshot(emit func(Command)) {
	s.SnapshotNode(emit)
	for _, name := range s.VHosts() {
		s.vhosts[name].Snapshot().Emit(emit)
	}
}

// SnapshotNode emits the part of Snapshot that is in no vhost: the names of vhosts, users,
// permissions and global parameters.
func (s *State) SnapshotNode(emit func(Command)) {
	for _, name := range s.VHosts() {
		emit(Command{Kind: PutVHostKind, VHost: name})
	}
	for _, name := range s.Users() {
		emit(Command{Kind: PutUserKind, User: s.users[name]})
		if limits := s.userLimits[name]; len(limits) > 0 {
			emit(Command{Kind: PutUserLimitsKind, User: User{Name: name}, Limits: limits})
		}
	}
	for _, p := range s.Permissions() {
		emit(Command{Kind: PutPermissionKind, Permission: p})
	}
	for _, p := range s.TopicPermissions() {
		emit(Command{Kind: PutTopicPermissionKind, Topic: p})
	}
	for _, p := range s.GlobalParameters() {
		emit(Command{Kind: PutGlobalParameterKind, Parameter: p})
	}
}

// VHostSnapshot is what was durable in a vhost at one moment. It stays as it is while the vhost
// changes, and is quick to take: to put it in order is the work of Emit.
type VHostSnapshot struct {
	vhost      string
	metadata   Metadata
	limits     Limits
	parameters []Parameter
	policies   []Policy
	operator   []Policy // policies
	exchanges  []*Exchange
	queues     []*Queue
	bindings   []*binding
}

// Snapshot returns what is durable in the vhost now. It only looks.
func (v *VHost) Snapshot() *VHostSnapshot {
	s := &VHostSnapshot{
		vhost: v.name, policies: v.Policies(), operator: v.OperatorPolicies(),
		metadata: v.metadata, limits: v.limits, parameters: v.Parameters(),
		queues: make([]*Queue, 0, len(v.queues)),
	}
	for _, x := range v.exchanges {
		if !x.Durable {
			continue
		}
		if !isPredeclared(x.Name) {
			s.exchanges = append(s.exchanges, &x.Exchange)
		}
		for _, b := range x.from {
			if v.Durable(b.Binding) {
				s.bindings = append(s.bindings, b)
			}
		}
	}
	for _, q := range v.queues {
		if q.Durable {
			s.queues = append(s.queues, &q.Queue)
		}
	}
	return s
}

// Emit emits the commands of the snapshot, in an order that depends only on what there was.
func (s *VHostSnapshot) Emit(emit func(Command)) {
	slices.SortFunc(s.exchanges, func(a, b *Exchange) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.queues, func(a, b *Queue) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.bindings, func(a, b *binding) int {
		return compareBindings(&a.Binding, &b.Binding)
	})
	if !s.metadata.Equal(Metadata{}) {
		emit(Command{Kind: PutMetadataKind, VHost: s.vhost, Metadata: s.metadata})
	}
	if len(s.limits) > 0 {
		emit(Command{Kind: PutVHostLimitsKind, VHost: s.vhost, Limits: s.limits})
	}
	for _, p := range s.parameters {
		emit(Command{Kind: PutParameterKind, VHost: s.vhost, Parameter: p})
	}
	for _, p := range s.policies {
		emit(Command{Kind: PutPolicyKind, VHost: s.vhost, Policy: p})
	}
	for _, p := range s.operator {
		emit(Command{Kind: PutOperatorPolicyKind, VHost: s.vhost, Policy: p})
	}
	for _, x := range s.exchanges {
		emit(Command{Kind: DeclareExchangeKind, VHost: s.vhost, Exchange: *x})
	}
	for _, q := range s.queues {
		emit(Command{Kind: DeclareQueueKind, VHost: s.vhost, Queue: *q})
	}
	for _, b := range s.bindings {
		emit(Command{Kind: BindKind, VHost: s.vhost, Binding: b.Binding})
	}
}
