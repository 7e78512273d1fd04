// Package definition holds everything declared on a node: virtual hosts, users, permissions,
// limits, parameters, exchanges, queues, bindings and policies, the rules by which they are
// declared and deleted, and what holds for a queue in the end. What a client did wrong is said in
// RabbitMQ's reply codes and texts.
//
// Floor 2: pure rules, on package exchange. Package broker translates: it takes the lock,
// asks here, and carries out what follows (queues that are to go, records for the log).
//
//	s := definition.New(exchange.Standard())
//	s.PutVHost("/")
//	v, _ := s.VHost("/")
//	q, created, err := v.DeclareQueue(definition.Queue{ID: 1, Name: "hello", Durable: true})
//	err = v.Route(nil, []byte("hello"), nil, &routing) // kept and reused by the caller
//	routing.Queues() // [hello]
//
// What is durable lives on as commands: the caller logs a Command for each change it wants to
// keep, and later gives it to Replay; Snapshot emits the commands that make everything durable
// again, so that the log can begin anew.
//
// Nothing here is safe for concurrent change. Methods that only look, Route and Snapshot among
// them, may be called concurrently; so may a declaration of what exists, which changes nothing.
package definition

import (
	"maps"
	"slices"

	"github.com/warrenmq/warren/internal/exchange"
)

// State is everything declared on a node. Users and permissions are its own; exchanges, queues
// and bindings belong to its vhosts.
type State struct {
	types       map[string]*exchange.Type
	node        *nodeDefaults
	vhosts      map[string]*VHost
	users       map[string]User
	permissions map[access]Permission
	topics      topics
	userLimits  map[string]Limits
	parameters  map[string]Parameter // global ones, by name
}

// New returns a state in which nothing is declared, with the exchange types that may be.
func New(types []exchange.Type) *State {
	s := &State{
		types:       make(map[string]*exchange.Type, len(types)),
		node:        new(nodeDefaults),
		vhosts:      make(map[string]*VHost),
		users:       make(map[string]User),
		permissions: make(map[access]Permission),
		topics:      make(topics),
		userLimits:  make(map[string]Limits),
		parameters:  make(map[string]Parameter),
	}
	for _, t := range types {
		s.types[t.Name] = &t
	}
	return s
}

// SetDefaultQueueType says of which type queues are that are declared without one, in vhosts whose
// metadata do not say it. It is said before anything is declared.
func (s *State) SetDefaultQueueType(name string) { s.node.queueType = name }

// SetConsumerTimeout says for how many ms a consumer may hold a message of a queue of which nothing
// else is said; 0: for ever. It is said before anything is declared.
func (s *State) SetConsumerTimeout(ms int64) { s.node.consumerTimeout = min(ms, expiryMax) }

// nodeDefaults are what holds on the node where nothing else is said.
type nodeDefaults struct {
	queueType       string
	consumerTimeout int64 // in ms; 0: none
}

// PutVHost makes a vhost with the predeclared exchanges. It reports false, and does nothing,
// when there is one of that name.
func (s *State) PutVHost(name string) (created bool) {
	if s.vhosts[name] != nil {
		return false
	}
	v := newVHost(name, s.types)
	v.node = s.node
	s.vhosts[name] = v
	return true
}

// DeleteVHost deletes a vhost, what is in it and the permissions for it, and reports whether it
// was there. Who holds the *VHost may go on reading it.
func (s *State) DeleteVHost(name string) (existed bool) {
	_, existed = s.vhosts[name]
	delete(s.vhosts, name)
	maps.DeleteFunc(s.permissions, func(a access, _ Permission) bool { return a.vhost == name })
	s.topics.drop(func(p *TopicPermission) bool { return p.VHost == name })
	return existed
}

// VHost returns the vhost of that name.
func (s *State) VHost(name string) (*VHost, bool) {
	v, ok := s.vhosts[name]
	return v, ok
}

// VHosts returns the names of all vhosts, sorted.
func (s *State) VHosts() []string { return slices.Sorted(maps.Keys(s.vhosts)) }
