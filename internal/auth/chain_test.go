package auth

import (
	"errors"
	"testing"

	"github.com/warrenmq/warren/internal/definition"
)

func TestChainAsksTheNextForStrangersOnly(t *testing.T) {
	first, second := withUsers("alice"), withUsers("alice", "bob")
	second.users["alice"] = definition.User{Name: "alice", PasswordHash: hashed("second-word")}
	all := definition.Permission{Configure: ".*", Write: ".*", Read: ".*"}
	second.permissions[[2]string{"alice", "/"}] = all
	second.permissions[[2]string{"bob", "/"}] = all
	second.users["guest"] = definition.User{Name: "guest"}
	c := Chain{NewInternal(first, Options{}), NewInternal(second, Options{})}
	for _, l := range []struct {
		user, password string
		want           error
	}{
		{"alice", "alice-word", nil},
		{"alice", "second-word", nil},
		{"bob", "bob-word", nil},
		{"bob", "wrong", ErrCredentials},
		{"carol", "carol-word", ErrCredentials},
	} {
		err := c.Login(t.Context(), l.user, l.password, tcp("192.0.2.1"))
		if !errors.Is(err, l.want) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for name, want := range map[string]error{
		"alice": nil, "bob": nil, "carol": ErrCredentials, "guest": ErrNotLoopback,
	} {
		if err := c.LoginWithout(name, tcp("192.0.2.1")); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.Allowed("alice", "/", Read, "q") {
		t.Error("a back end that comes later gives what the first one does not")
	}
	if !c.Allowed("bob", "/", Read, "q") || c.Allowed("carol", "/", Read, "q") {
		t.Error("who is known by the second back end only is judged by another one")
	}
	if c.Knows("carol") || !c.Knows("bob") {
		t.Error("the chain knows others than its back ends")
	}
	if err := (Chain{}).Login(t.Context(), "a", "b", nil); !errors.Is(err, ErrCredentials) {
		t.Errorf("an empty chain: %v", err)
	}
}

func TestBackEndsThatMayBeConfigured(t *testing.T) {
	for _, c := range []struct {
		names []string
		good  bool
	}{
		{nil, true},
		{[]string{"internal"}, true},
		{[]string{"rabbit_auth_backend_internal"}, true},
		{[]string{"internal", "rabbit_auth_backend_internal"}, false},
		{[]string{"ldap"}, false},
		{[]string{"ldap", "internal"}, false},
	} {
		if err := (Options{BackEnds: c.names}).Validate(); (err == nil) != c.good {
			t.Errorf("%q: %v", c.names, err)
		}
		if _, err := NewChain(c.names, nil); (err == nil) != c.good {
			t.Errorf("%q: %v", c.names, err)
		}
	}
}
