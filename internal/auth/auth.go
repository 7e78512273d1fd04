// Package auth says who may do what: it checks passwords, and permissions on the resources of
// a vhost.
//
// Floor 5, below the broker. Internal is the back end that knows the users declared in the
// node; parsers of the SASL responses that carry names and passwords are beside it:
//
//	user, password, err := auth.ParsePlain(response)
//	err = backEnd.Login(ctx, user, password, conn.RemoteAddr())
//	if backEnd.Allowed(user, "/", auth.Write, "amq.topic") { ... }
package auth

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/pattern"
)

// Permission is one of the three things a user may do to a resource.
type Permission uint8

// The permissions of RabbitMQ's access control.
const (
	Configure Permission = iota // declare and delete
	Write                       // publish to, bind a destination
	Read                        // consume from, bind a source
)

// Users is where Internal looks users up. Its methods may be called concurrently.
type Users interface {
	// User returns the user of that name.
	User(name string) (definition.User, bool)
	// Permission returns what a user may do in a vhost.
	Permission(user, vhost string) (definition.Permission, bool)
}

// Internal checks the users declared in the node. It is safe for concurrent use.
type Internal struct {
	users   Users
	options Options

	key          printKey
	right, wrong verdicts
	decoy        []byte // a hash that no password fits
	pool         *pool
	pending      pending
	hashes       atomic.Uint64 // computed
	throttle     throttle

	mu       sync.RWMutex
	patterns map[string]*pattern.Pattern // nil: not a valid pattern
}

// NewInternal returns a back end over users.
func NewInternal(users Users, o Options) *Internal {
	return &Internal{
		users: users, options: o.withDefaults(), patterns: make(map[string]*pattern.Pattern),
		key: newPrintKey(), decoy: decoy(), pool: newPool(),
	}
}

// loopback reports whether an address is of this machine: a loopback address, also when IPv4 is
// mapped to IPv6, or something inside the machine. What cannot be judged is from elsewhere.
func loopback(peer net.Addr) bool {
	if address, ok := addressOf(peer); ok {
		return address.IsLoopback()
	}
	if peer == nil {
		return false
	}
	switch peer.Network() {
	case "unix", "unixgram", "unixpacket", "pipe":
		return true
	}
	return false
}

// addressOf is the IP address of a peer that has one; IPv4 that is mapped to IPv6 is IPv4.
func addressOf(peer net.Addr) (netip.Addr, bool) {
	switch peer := peer.(type) {
	case nil:
		return netip.Addr{}, false
	case *net.TCPAddr: // what nearly all are
		return peer.AddrPort().Addr().Unmap(), len(peer.IP) > 0
	}
	address, err := netip.ParseAddrPort(peer.String())
	return address.Addr().Unmap(), err == nil
}

// CheckPattern says what is wrong with the pattern of a permission, nil for nothing. RabbitMQ's
// patterns may look around and refer back (Perl's syntax); what of it takes time that the text
// decides is refused, see package pattern. A pattern that is refused allows nothing.
func CheckPattern(text string) error {
	if len(text) > patternMax {
		return fmt.Errorf("the pattern has %d bytes, at most %d", len(text), patternMax)
	}
	_, err := pattern.Compile(text)
	return err
}

// Knows reports whether there is a user of that name.
func (a *Internal) Knows(user string) bool {
	_, ok := a.users.User(user)
	return ok
}

// Allowed reports whether a user may do something to the resource of that name in a vhost.
// Permissions are regular expressions that match anywhere in the name; an empty one matches
// the empty name only. The default exchange, whose name is empty, is called amq.default here,
// by the caller.
func (a *Internal) Allowed(user, vhost string, p Permission, resource string) bool {
	permission, ok := a.users.Permission(user, vhost)
	if !ok {
		return false
	}
	text := permission.Configure
	switch p {
	case Write:
		text = permission.Write
	case Read:
		text = permission.Read
	}
	switch text {
	case ".*":
		return true
	case "":
		return resource == ""
	}
	compiled := a.compiled(text)
	return compiled != nil && compiled.MatchString(resource)
}

const (
	// patternsMax bounds the compiled patterns that are remembered.
	patternsMax = 1024
	// patternMax bounds a pattern, in bytes.
	patternMax = 4096
)

func (a *Internal) compiled(text string) *pattern.Pattern {
	a.mu.RLock()
	compiled, ok := a.patterns[text]
	a.mu.RUnlock()
	if ok {
		return compiled
	}
	compiled = nil
	if CheckPattern(text) == nil {
		compiled = pattern.MustCompile(text)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.patterns) >= patternsMax {
		clear(a.patterns)
	}
	a.patterns[text] = compiled
	return compiled
}
