package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// Backend is a source of users. Its methods may be called concurrently.
type Backend interface {
	// Login checks a name and a password that came from peer. It may wait until ctx is done.
	// ErrCredentials says that they are not right, or that it has no such user.
	Login(ctx context.Context, name, password string, peer net.Addr) error
	// LoginWithout is Login for somebody who has proved without a password who they are.
	LoginWithout(name string, peer net.Addr) error
	// Knows reports whether it judges what a user may do.
	Knows(user string) bool
	// Allowed reports whether a user may do something to a resource of a vhost.
	Allowed(user, vhost string, p Permission, resource string) bool
}

// Chain asks back ends in their order. The first that lets somebody in does so; what a user may do
// is up to the first that knows the user. An empty chain lets nobody in.
type Chain []Backend

// The names of Internal in a list of back ends, RabbitMQ's short and long form.
const (
	backendInternal     = "internal"
	backendInternalLong = "rabbit_auth_backend_internal"
)

// NewChain returns the back ends of these names, where internal is the one that is built in; no
// names mean internal alone.
func NewChain(names []string, internal *Internal) (Chain, error) {
	if err := checkBackends(names); err != nil {
		return nil, err
	}
	return Chain{internal}, nil
}

// checkBackends says what is wrong with a list of back ends.
func checkBackends(names []string) error {
	for i, name := range names {
		switch {
		case name != backendInternal && name != backendInternalLong:
			return fmt.Errorf("authentication back end %q is not there, only %s is",
				name, backendInternal)
		case i > 0:
			return fmt.Errorf("authentication back end %s is listed twice", backendInternal)
		}
	}
	return nil
}

// Login implements Backend. A back end that is in trouble refuses: nobody comes in by the next one
// since it cannot be asked.
func (c Chain) Login(ctx context.Context, name, password string, peer net.Addr) error {
	err := ErrCredentials
	for _, b := range c {
		err = b.Login(ctx, name, password, peer)
		if !errors.Is(err, ErrCredentials) {
			return err
		}
	}
	return err
}

// LoginWithout implements Backend.
func (c Chain) LoginWithout(name string, peer net.Addr) error {
	err := ErrCredentials
	for _, b := range c {
		err = b.LoginWithout(name, peer)
		if !errors.Is(err, ErrCredentials) {
			return err
		}
	}
	return err
}

// Knows implements Backend.
func (c Chain) Knows(user string) bool { return c.of(user) != nil }

// Allowed implements Backend.
func (c Chain) Allowed(user, vhost string, p Permission, resource string) bool {
	b := c.of(user)
	return b != nil && b.Allowed(user, vhost, p, resource)
}

// of is the back end that judges a user; nil: none does.
func (c Chain) of(user string) Backend {
	for _, b := range c {
		if b.Knows(user) {
			return b
		}
	}
	return nil
}
