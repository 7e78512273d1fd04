package auth

import (
	"context"
	"errors"
	"net"
	"slices"
)

// Why a login is refused. Clients are told none of it, operators are.
var (
	ErrCredentials = errors.New("invalid credentials")
	ErrNotLoopback = errors.New("user may connect from this machine only")
	ErrThrottled   = errors.New("too many failed logins")
	ErrBusy        = errors.New("too many logins wait for their turn")
)

// Login checks a name and a password that came from peer. An empty password is never right. Users
// that are bound to this machine are taken from there only, judged by the peer's own address. The
// error is one of those above.
//
// What it costs:
//
//   - A right password is computed once and remembered: a storm of one user costs one hash.
//   - A wrong one costs the same for every user, whether there is one or not, and is remembered:
//     a client that repeats its mistake costs next to nothing, and is no guesser.
//   - Who guesses is slowed down, see throttle; nobody else is.
//
// It waits for its turn at most Options.WaitMax, and not when ctx is done.
func (a *Internal) Login(ctx context.Context, name, password string, peer net.Addr) error {
	if password == "" {
		return ErrCredentials
	}
	t := a.attempt(name, password, peer)
	if a.wrong.has(t.print) {
		return ErrCredentials
	}
	// What a guesser is told is told slowly, also if it is remembered.
	if a.throttle.delay(t.from, name) > 0 || !a.quick(&t) {
		if err := a.judge(ctx, &t); err != nil {
			return err
		}
	}
	return a.from(name, peer)
}

// LoginWithout takes a user whose identity the connection has proved by itself, with a
// certificate. The error is ErrCredentials when there is no such user, or ErrNotLoopback.
func (a *Internal) LoginWithout(name string, peer net.Addr) error {
	if !a.Knows(name) {
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

// Hash returns the hash of a new password, and the algorithm it is made with. It waits for its
// turn as a login does; the error is ErrBusy then.
func (a *Internal) Hash(ctx context.Context, password string) (
	hash []byte, algorithm string, err error,
) {
	algorithm = a.options.Hashing
	if algorithm != HashArgon2id {
		hash, err = HashPassword(algorithm, password)
		return hash, algorithm, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.options.WaitMax)
	defer cancel()
	if err = a.pool.enter(ctx); err != nil {
		return nil, "", err
	}
	defer a.pool.leave()
	hash, err = HashPassword(algorithm, password)
	return hash, algorithm, err
}

// attempt is a login being judged.
type attempt struct {
	name, password string
	from           origin
	algorithm      string
	stored         []byte
	print          fingerprint
}

// attempt finds what the password has to be compared with. For a user who does not exist, or has
// no password, it is a decoy: that takes as long, and no password fits.
func (a *Internal) attempt(name, password string, peer net.Addr) attempt {
	t := attempt{name: name, password: password, from: originOf(peer)}
	user, ok := a.users.User(name)
	t.algorithm, t.stored = HashAlgorithm(user.Algorithm), user.PasswordHash
	if !ok || len(t.stored) == 0 {
		t.algorithm, t.stored = HashArgon2id, a.decoy
	}
	t.print = a.key.print(name, password, t.algorithm, t.stored)
	return t
}

// quick reports whether the password is known to be right, or found to be with little work.
func (a *Internal) quick(t *attempt) bool {
	if t.algorithm == HashArgon2id {
		return a.right.has(t.print)
	}
	return VerifyPassword(t.algorithm, t.stored, t.password)
}

// judge says whether the password is right, by memory or by computing it. Of several who ask the
// same at once, one computes.
func (a *Internal) judge(ctx context.Context, t *attempt) error {
	ctx, cancel := context.WithTimeout(ctx, a.options.WaitMax)
	defer cancel()
	if err := a.throttle.wait(ctx, t.from, t.name); err != nil {
		return err
	}
	for {
		switch {
		case a.quick(t):
			return nil
		case a.wrong.has(t.print):
			return ErrCredentials
		}
		computed, mine := a.pending.begin(t.print)
		if mine {
			err := a.compute(ctx, t)
			a.pending.end(t.print)
			return err
		}
		select {
		case <-computed:
		case <-ctx.Done():
			return ErrBusy
		}
	}
}

// compute hashes the password, one of hashesMax at a time, and remembers what came of it.
func (a *Internal) compute(ctx context.Context, t *attempt) error {
	if err := a.pool.enter(ctx); err != nil {
		return err
	}
	defer a.pool.leave()
	if a.throttle.delay(t.from, t.name) > 0 { // others of its origin have failed meanwhile
		return ErrThrottled
	}
	a.hashes.Add(1)
	if verifyArgon2(t.comparable(a), t.password) {
		a.right.add(t.print)
		return nil
	}
	a.wrong.add(t.print)
	a.throttle.failed(t.from, t.name)
	return ErrCredentials
}

// comparable is the hash that the password is compared with. One of another algorithm has been
// compared before and did not fit, and one that is broken fits nothing: the decoy takes its time.
func (t *attempt) comparable(a *Internal) []byte {
	if t.algorithm == HashArgon2id && CheckHash(t.algorithm, t.stored) == nil {
		return t.stored
	}
	return a.decoy
}

// originOf is the peer's address as far as a throttle distinguishes addresses: those of an IPv6
// network of 64 bits belong to one customer.
func originOf(peer net.Addr) origin {
	address, ok := addressOf(peer)
	switch {
	case ok && address.Is6():
		network, _ := address.Prefix(64) // that many bits it has
		return origin{address: network.Addr()}
	case ok:
		return origin{address: address}
	case peer == nil:
		return origin{}
	}
	return origin{network: peer.Network()}
}
