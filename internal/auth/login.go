package auth

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"slices"
	"sync"

	"github.com/warrenmq/warren/internal/definition"
)

// Login checks a name and a password that came from peer. An empty password is never right. Users
// that are bound to this machine are taken from there only, judged by the peer's own address. The
// error is ErrCredentials or ErrNotLoopback.
func (a *Internal) Login(ctx context.Context, name, password string, peer net.Addr) error {
	user, ok := a.users.User(name)
	if !ok {
		user.PasswordHash = a.decoy.hash() // takes as long as a wrong password
	}
	right := VerifyPassword(algorithmOf(&user), user.PasswordHash, password)
	if !right || !ok || password == "" {
		return ErrCredentials
	}
	return a.from(name, peer)
}

// LoginWithout takes a user whose identity the connection has proved by itself, with a
// certificate. The error is ErrCredentials when there is no such user, or ErrNotLoopback.
func (a *Internal) LoginWithout(name string, peer net.Addr) error {
	if _, ok := a.users.User(name); !ok {
		return ErrCredentials
	}
	return a.from(name, peer)
}

// from checks where a user may come from.
func (a *Internal) from(name string, peer net.Addr) error {
	if slices.Contains(a.options.LoopbackUsers, name) && !loopback(peer) {
		return ErrNotLoopback
	}
	return nil
}

// Hash returns the hash of a new password, and the algorithm it is made with.
func (a *Internal) Hash(ctx context.Context, password string) (
	hash []byte, algorithm string, err error,
) {
	hash, err = HashPassword(a.options.Hashing, password)
	return hash, a.options.Hashing, err
}

// algorithmOf is how the password of a user is hashed.
func algorithmOf(u *definition.User) string {
	if bytes.HasPrefix(u.PasswordHash, []byte("$"+HashArgon2id+"$")) {
		return HashArgon2id
	}
	return ""
}

// decoy has the hash that the passwords of users are compared with who do not exist.
type decoy struct {
	once   sync.Once
	stored []byte
}

func (d *decoy) hash() []byte {
	d.once.Do(func() { d.stored = newArgon2(rand.Text()) })
	return d.stored
}
