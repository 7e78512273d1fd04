package auth

import (
	"errors"
	"net"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
)

type someUsers struct {
	users       map[string]definition.User
	permissions map[[2]string]definition.Permission
}

func (s someUsers) User(name string) (definition.User, bool) {
	u, ok := s.users[name]
	return u, ok
}

func (s someUsers) Permission(user, vhost string) (definition.Permission, bool) {
	p, ok := s.permissions[[2]string{user, vhost}]
	return p, ok
}

func withUsers(names ...string) someUsers {
	s := someUsers{
		users:       make(map[string]definition.User),
		permissions: make(map[[2]string]definition.Permission),
	}
	for _, name := range names {
		s.users[name] = definition.User{Name: name, PasswordHash: HashPassword(name + "-word")}
	}
	return s
}

func tcp(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

func TestLogin(t *testing.T) {
	a := NewInternal(withUsers("guest", "alice"))
	for _, c := range []struct {
		user, password string
		peer           net.Addr
		want           error
	}{
		{"alice", "alice-word", tcp("192.0.2.1"), nil},
		{"alice", "wrong", tcp("127.0.0.1"), ErrCredentials},
		{"alice", "", tcp("127.0.0.1"), ErrCredentials},
		{"nobody", "nobody-word", tcp("127.0.0.1"), ErrCredentials},
		{"", "", tcp("127.0.0.1"), ErrCredentials},
		{"guest", "guest-word", tcp("127.0.0.1"), nil},
		{"guest", "guest-word", tcp("127.8.9.1"), nil},
		{"guest", "guest-word", tcp("::1"), nil},
		{"guest", "guest-word", tcp("::ffff:127.0.0.1"), nil},
		{"guest", "guest-word", tcp("::ffff:192.0.2.1"), ErrNotLoopback},
		{"guest", "guest-word", tcp("192.0.2.1"), ErrNotLoopback},
		{"guest", "guest-word", tcp("2001:db8::1"), ErrNotLoopback},
		{"guest", "guest-word", &net.UnixAddr{Name: "pipe"}, nil},
	} {
		if err := a.Login(c.user, c.password, c.peer); !errors.Is(err, c.want) {
			t.Errorf("%s with %q from %v: %v, want %v", c.user, c.password, c.peer, err, c.want)
		}
	}
}

func TestPermissionsAreExpressionsThatMatchAnywhere(t *testing.T) {
	users := withUsers("alice")
	users.permissions[[2]string{"alice", "/"}] = definition.Permission{
		Configure: "^mine-", Write: "", Read: ".*",
	}
	users.permissions[[2]string{"alice", "bad"}] = definition.Permission{Read: "(("}
	a := NewInternal(users)
	for _, c := range []struct {
		vhost, resource string
		permission      Permission
		want            bool
	}{
		{"/", "mine-1", Configure, true},
		{"/", "not-mine-1", Configure, false},
		{"/", "mine-1", Write, false},
		{"/", "", Write, true},
		{"/", "anything", Read, true},
		{"other", "anything", Read, false},
		{"bad", "((", Read, false},
	} {
		if got := a.Allowed("alice", c.vhost, c.permission, c.resource); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPatternsRememberedAreBounded(t *testing.T) {
	a := NewInternal(withUsers())
	for i := range patternsMax + 2 {
		a.compiled(string(rune('a' + i)))
	}
	if n := len(a.patterns); n > patternsMax {
		t.Errorf("%d patterns are remembered, the limit is %d", n, patternsMax)
	}
}

func TestPasswordHashes(t *testing.T) {
	hash := HashPassword("secret")
	if !VerifyPassword(hash, "secret") || VerifyPassword(hash, "Secret") {
		t.Error("a hash does not tell its password from another")
	}
	if string(hash) == string(HashPassword("secret")) {
		t.Error("two hashes of one password have the same salt")
	}
	for _, other := range [][]byte{nil, hash[:hashLen-1], append(hash, 0)} {
		if VerifyPassword(other, "secret") {
			t.Errorf("a hash of %d bytes was accepted", len(other))
		}
	}
}

func FuzzParsePlain(f *testing.F) {
	f.Add([]byte("\x00guest\x00guest"))
	f.Add([]byte("id\x00user\x00"))
	f.Add([]byte("\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, response []byte) {
		user, password, err := ParsePlain(response)
		if err == nil && (user == "" || len(user)+len(password)+2 > len(response)) {
			t.Errorf("%q gives %q and %q", response, user, password)
		}
	})
}

func FuzzParseAMQPlain(f *testing.F) {
	f.Add([]byte(amqp.NewTable(map[string]any{"LOGIN": "guest", "PASSWORD": "guest"})))
	f.Add([]byte(amqp.NewTable(map[string]any{"LOGIN": 1, "PASSWORD": nil})))
	f.Fuzz(func(t *testing.T, response []byte) {
		if user, _, err := ParseAMQPlain(response); err == nil && user == "" {
			t.Errorf("%q gives no user", response)
		}
	})
}
