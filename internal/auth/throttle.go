package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// failuresMax is how many different wrong logins an address may try, and how many may be
	// tried for one user, before they are slowed down.
	failuresMax = 20
	// failureCost is the time in which one of them is forgotten: the pace of those who go on.
	failureCost = time.Second
	// throttleMax is how long a login is held up by the throttle; one that would have to wait
	// for longer is refused at once. So soon after the last failure is everybody let in again.
	throttleMax = 2 * time.Second
	// debtorsMax bounds the addresses, and the users, whose failures are remembered.
	debtorsMax = 4096
	// debtorsAsked is how many of them are looked at for the one that is forgotten when there
	// are more: the one of them with the fewest failures.
	debtorsAsked = 16
)

// origin is an address, or the network of a peer that has none, that failures are counted for.
type origin struct {
	address netip.Addr
	network string
}

// throttle slows down those who guess passwords. Each failure is a debt of failureCost to its
// address and to its user, and time pays it. An address that owes more than failuresMax of them
// waits. A user for whom so many failed is not locked out, wherever the guesses came from: only
// addresses that have failed themselves wait then, so that each address has one guess.
//
// It is safe for concurrent use.
type throttle struct {
	mu        sync.Mutex
	addresses map[origin]time.Time // when the debt is paid
	users     map[string]time.Time
}

// delay is how long a login has to wait, 0 for not at all.
func (t *throttle) delay(from origin, user string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.addresses) == 0 {
		return 0
	}
	now := time.Now()
	address := t.addresses[from].Sub(now)
	if address <= 0 {
		return 0
	}
	return max(0, max(address, t.users[user].Sub(now))-failuresMax*failureCost)
}

// wait returns when a login may go on. The error is ErrThrottled.
func (t *throttle) wait(ctx context.Context, from origin, user string) error {
	var waited time.Duration
	for {
		delay := t.delay(from, user)
		if delay == 0 {
			return nil
		}
		if waited += delay; waited > throttleMax {
			return ErrThrottled
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ErrThrottled
		}
	}
}

// failed counts a wrong login.
func (t *throttle) failed(from origin, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.addresses = owe(t.addresses, from, now)
	t.users = owe(t.users, user, now)
}

// owe adds a failure to one's debt, which is never more than a login may have to wait for.
func owe[K comparable](debts map[K]time.Time, debtor K, now time.Time) map[K]time.Time {
	if debts == nil {
		debts = make(map[K]time.Time)
	}
	paid, known := debts[debtor]
	if !known && len(debts) >= debtorsMax {
		forgive(debts, now)
	}
	if paid.Before(now) {
		paid = now
	}
	paid = paid.Add(failureCost)
	if most := now.Add(failuresMax*failureCost + throttleMax); paid.After(most) {
		paid = most
	}
	debts[debtor] = paid
	return debts
}

// forgive makes room: for all who owe nothing, or for one who owes little.
func forgive[K comparable](debts map[K]time.Time, now time.Time) {
	for debtor, paid := range debts {
		if !paid.After(now) {
			delete(debts, debtor)
		}
	}
	if len(debts) < debtorsMax {
		return
	}
	var least K
	var owed time.Time
	asked := 0
	for debtor, paid := range debts {
		if asked == 0 || paid.Before(owed) {
			least, owed = debtor, paid
		}
		if asked++; asked == debtorsAsked {
			break
		}
	}
	delete(debts, least)
}
