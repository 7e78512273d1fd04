package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/internal/definition"
)

// cheap is a hash with argon2id that costs less than others.
func cheap(password string) []byte {
	h := argonHash{
		memory: 64, time: 1, threads: 1,
		salt: make([]byte, argonSaltLen), key: make([]byte, argonKeyLen),
	}
	h.key = h.derive(password)
	return h.text()
}

// slowly is a back end whose users have passwords with argon2id: the name and "-word".
func slowly(names ...string) (*Internal, someUsers) {
	users := withUsers(names...)
	for name, u := range users.users {
		u.PasswordHash, u.Algorithm = cheap(name+"-word"), HashArgon2id
		users.users[name] = u
	}
	return NewInternal(users, Options{}), users
}

func (a *Internal) expect(t *testing.T, name, password string, peer net.Addr, want error) {
	t.Helper()
	if err := a.Login(t.Context(), name, password, peer); !errors.Is(err, want) {
		t.Errorf("%s with %q from %v: %v, want %v", name, password, peer, err, want)
	}
}

func TestStormOfOneUserCostsOneHash(t *testing.T) {
	a, _ := slowly("alice")
	var logins sync.WaitGroup
	for i := range 200 {
		logins.Go(func() {
			a.expect(t, "alice", "alice-word", tcp(fmt.Sprintf("192.0.2.%d", i)), nil)
		})
	}
	logins.Wait()
	a.expect(t, "alice", "alice-word", tcp("192.0.2.1"), nil)
	if n := a.hashes.Load(); n != 1 {
		t.Errorf("%d hashes were computed", n)
	}
}

func TestMistakeThatIsRepeatedCostsOneHashAndSlowsNobodyDown(t *testing.T) {
	a, _ := slowly("alice")
	for range 10 * failuresMax {
		a.expect(t, "alice", "old-word", tcp("192.0.2.1"), ErrCredentials)
	}
	a.expect(t, "alice", "alice-word", tcp("192.0.2.1"), nil)
	if n := a.hashes.Load(); n != 2 {
		t.Errorf("%d hashes were computed", n)
	}
}

func TestVerdictsEndWithThePassword(t *testing.T) {
	a, users := slowly("alice")
	a.expect(t, "alice", "alice-word", tcp("192.0.2.1"), nil)
	a.expect(t, "alice", "new-word", tcp("192.0.2.1"), ErrCredentials)
	hash, algorithm, err := a.Hash(t.Context(), "new-word")
	if err != nil || algorithm != HashArgon2id {
		t.Fatal(algorithm, err)
	}
	users.users["alice"] = definition.User{
		Name: "alice", PasswordHash: hash, Algorithm: algorithm,
	}
	a.expect(t, "alice", "alice-word", tcp("192.0.2.1"), ErrCredentials)
	a.expect(t, "alice", "new-word", tcp("192.0.2.1"), nil)
	delete(users.users, "alice")
	a.expect(t, "alice", "new-word", tcp("192.0.2.1"), ErrCredentials)
}

// TestRefusalsCostTheSame counts hashes: it says nothing about a user whether a login is refused
// fast or slowly.
func TestRefusalsCostTheSame(t *testing.T) {
	a, users := slowly("alice")
	users.users["quick"] = definition.User{Name: "quick", PasswordHash: hashed("quick-word")}
	users.users["none"] = definition.User{Name: "none"}
	users.users["broken"] = definition.User{Name: "broken", PasswordHash: []byte("x")}
	before := uint64(0)
	for _, name := range []string{"alice", "quick", "none", "broken", "nobody"} {
		a.expect(t, name, "wrong", tcp("192.0.2.1"), ErrCredentials)
		if n := a.hashes.Load(); n != before+1 {
			t.Errorf("%s: %d hashes were computed", name, n-before)
		}
		before = a.hashes.Load()
	}
	a.expect(t, "quick", "quick-word", tcp("192.0.2.1"), nil)
	if n := a.hashes.Load(); n != before {
		t.Error("a right password of RabbitMQ's costs a hash")
	}
}

func TestUserWithoutPasswordProvesWithACertificateOnly(t *testing.T) {
	a, users := slowly()
	users.users["machine"] = definition.User{Name: "machine"}
	users.users["guest"] = definition.User{Name: "guest"}
	a.expect(t, "machine", "x", tcp("127.0.0.1"), ErrCredentials)
	for _, c := range []struct {
		name string
		peer net.Addr
		want error
	}{
		{"machine", tcp("192.0.2.1"), nil},
		{"nobody", tcp("192.0.2.1"), ErrCredentials},
		{"guest", tcp("192.0.2.1"), ErrNotLoopback},
		{"guest", tcp("127.0.0.1"), nil},
	} {
		if err := a.LoginWithout(c.name, c.peer); !errors.Is(err, c.want) {
			t.Errorf("%s from %v: %v, want %v", c.name, c.peer, err, c.want)
		}
	}
}

func TestLoopbackUsersAreConfigured(t *testing.T) {
	users := withUsers("guest", "local")
	for _, c := range []struct {
		list   []string
		name   string
		remote error
	}{
		{nil, "guest", ErrNotLoopback},
		{nil, "local", nil},
		{[]string{}, "guest", nil},
		{[]string{"local"}, "guest", nil},
		{[]string{"local"}, "local", ErrNotLoopback},
	} {
		a := NewInternal(users, Options{LoopbackUsers: c.list})
		a.expect(t, c.name, c.name+"-word", tcp("192.0.2.1"), c.remote)
		a.expect(t, c.name, c.name+"-word", tcp("127.0.0.1"), nil)
	}
}

// TestHashesAtOnceAreBounded holds all slots, so that others wait until their patience ends.
func TestHashesAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewInternal(withUsers(), Options{WaitMax: time.Minute})
		for range hashesMax {
			if err := a.pool.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		a.expect(t, "bob", "x", tcp("192.0.2.1"), ErrBusy)
		if waited := time.Since(begin); waited != time.Minute {
			t.Errorf("a login waited for %v", waited)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := a.Login(ctx, "bob", "x", tcp("192.0.2.1")); !errors.Is(err, ErrBusy) {
			t.Errorf("a login nobody waits for: %v", err)
		}
		if _, _, err := a.Hash(ctx, "x"); !errors.Is(err, ErrBusy) {
			t.Errorf("a password nobody waits for: %v", err)
		}
		var waiting sync.WaitGroup
		ctx, cancel = context.WithCancel(t.Context())
		for i := range hashersMax {
			waiting.Go(func() {
				_ = a.Login(ctx, "bob", strconv.Itoa(i), tcp("192.0.2.1"))
			})
		}
		synctest.Wait()
		begin = time.Now()
		a.expect(t, "bob", "x", tcp("192.0.2.1"), ErrBusy)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("one too many waited for %v", waited)
		}
		cancel()
		waiting.Wait()
		for range hashesMax {
			a.pool.leave()
		}
		if err := a.pool.enter(t.Context()); err != nil || a.pool.waiting.Load() != 0 {
			t.Errorf("the pool does not go on: %v, %d wait", err, a.pool.waiting.Load())
		}
	})
}

// TestFollowerGoesOnWhenTheOneThatComputesGivesUp: a wait that ends takes nobody with it.
func TestFollowerGoesOnWhenTheOneThatComputesGivesUp(t *testing.T) {
	a, _ := slowly("alice")
	synctest.Test(t, func(t *testing.T) {
		a := NewInternal(a.users, Options{WaitMax: time.Hour})
		for range hashesMax {
			_ = a.pool.enter(t.Context())
		}
		leader, cancel := context.WithCancel(t.Context())
		var logins sync.WaitGroup
		logins.Go(func() {
			err := a.Login(leader, "alice", "alice-word", tcp("192.0.2.1"))
			if !errors.Is(err, ErrBusy) {
				t.Error(err)
			}
		})
		synctest.Wait()
		logins.Go(func() { a.expect(t, "alice", "alice-word", tcp("192.0.2.2"), nil) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		a.pool.leave()
		logins.Wait()
	})
}

func TestVerdictsRememberedAreBounded(t *testing.T) {
	var v verdicts
	key := newPrintKey()
	first := key.print("first", "", "", nil)
	v.add(first)
	for i := range 3 * verdictsMax {
		v.add(key.print(strconv.Itoa(i), "", "", nil))
		if !v.has(first) {
			t.Fatalf("one that is used was forgotten after %d", i)
		}
	}
	if n := len(v.young) + len(v.old); n > 2*verdictsMax {
		t.Errorf("%d are remembered", n)
	}
	if v.has(key.print("0", "", "", nil)) {
		t.Error("one that was not used is remembered for ever")
	}
}

func TestFingerprintsDiffer(t *testing.T) {
	key, other := newPrintKey(), newPrintKey()
	seen := make(map[fingerprint]string)
	for _, of := range [][3]string{
		{"a", "bc", ""}, {"ab", "c", ""}, {"a", "b", "c"}, {"", "abc", ""}, {"abc", "", ""},
	} {
		for _, stored := range []string{"", "1"} {
			for i, k := range []*printKey{&key, &other} {
				p := k.print(of[0], of[1], of[2], []byte(stored))
				now := fmt.Sprint(of, stored, i)
				if before, ok := seen[p]; ok {
					t.Errorf("%s and %s have one fingerprint", before, now)
				}
				seen[p] = now
			}
		}
	}
}

func BenchmarkRepeatedLogin(b *testing.B) {
	users := withUsers("alice")
	users.users["alice"] = definition.User{
		Name: "alice", PasswordHash: newArgon2("alice-word"), Algorithm: HashArgon2id,
	}
	a := NewInternal(users, Options{})
	peer := tcp("192.0.2.1")
	for b.Loop() {
		if err := a.Login(b.Context(), "alice", "alice-word", peer); err != nil {
			b.Fatal(err)
		}
	}
}
