package auth

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

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
		s.users[name] = definition.User{Name: name, PasswordHash: hashed(name + "-word")}
	}
	return s
}

// hashed is the cheapest hash of a password.
func hashed(password string) []byte {
	hash, err := HashPassword(HashSHA256, password)
	if err != nil {
		panic(err)
	}
	return hash
}

func tcp(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }

// inMemory is the address of a connection within the process.
func inMemory(t *testing.T) net.Addr {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	return a.RemoteAddr()
}

// strange is an address of a network that nobody knows.
type strange string

func (strange) Network() string  { return "strange" }
func (s strange) String() string { return string(s) }

func TestLogin(t *testing.T) {
	users := withUsers("guest", "alice")
	users.users["blank"] = definition.User{Name: "blank", PasswordHash: hashed("")}
	a := NewInternal(users, Options{})
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
		{"guest", "guest-word", tcp("127.0.0.1.example"), ErrNotLoopback},
		{"guest", "guest-word", &net.UnixAddr{Name: "socket", Net: "unix"}, nil},
		{"guest", "guest-word", inMemory(t), nil},
		{"guest", "guest-word", strange("localhost:5672"), ErrNotLoopback},
		{"guest", "guest-word", nil, ErrNotLoopback},
		{"blank", "", tcp("127.0.0.1"), ErrCredentials},
	} {
		if err := a.Login(t.Context(), c.user, c.password, c.peer); !errors.Is(err, c.want) {
			t.Errorf("%s with %q from %v: %v, want %v", c.user, c.password, c.peer, err, c.want)
		}
	}
}

func TestPermissionsAreExpressionsThatMatchAnywhere(t *testing.T) {
	users := withUsers("alice")
	users.permissions[[2]string{"alice", "/"}] = definition.Permission{
		Configure: "^mine-", Write: "", Read: ".*",
	}
	users.permissions[[2]string{"alice", "bad"}] = definition.Permission{
		Configure: "(?!amq)x", Write: "a|" + strings.Repeat("b", patternMax), Read: "((",
	}
	a := NewInternal(users, Options{})
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
		{"bad", "mine", Configure, false},
		{"bad", "a", Write, false},
	} {
		if got := a.Allowed("alice", c.vhost, c.permission, c.resource); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestPatternsThatCannotBeCompiledAreToldWhenTheyAreDeclared(t *testing.T) {
	for pattern, good := range map[string]bool{
		"":                                true,
		"^(amq\\.gen|mine)-.*":            true,
		"((":                              false,
		"^(?!amq)":                        true,
		"^(?<!amq)":                       false,
		strings.Repeat("a", patternMax):   true,
		strings.Repeat("a", patternMax+1): false,
	} {
		if err := CheckPattern(pattern); (err == nil) != good {
			t.Errorf("%.20q of %d bytes: %v", pattern, len(pattern), err)
		}
	}
}

func TestPatternsRememberedAreBounded(t *testing.T) {
	a := NewInternal(withUsers(), Options{})
	for i := range patternsMax + 2 {
		a.compiled(strconv.Itoa(i))
	}
	if n := len(a.patterns); n > patternsMax {
		t.Errorf("%d patterns are remembered, the limit is %d", n, patternsMax)
	}
}
