package auth

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

func TestAddressThatGuessesIsSlowedDownAndNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s throttle
		for range failuresMax {
			if d := s.delay(origin{network: "bad"}, "alice"); d != 0 {
				t.Fatalf("an early guess waits for %v", d)
			}
			s.failed(origin{network: "bad"}, "alice")
		}
		s.failed(origin{network: "bad"}, "alice")
		if d := s.delay(origin{network: "bad"}, "alice"); d != failureCost {
			t.Errorf("the next guess waits for %v", d)
		}
		if d := s.delay(origin{network: "bad"}, "bob"); d != failureCost {
			t.Errorf("a guess at another user waits for %v", d)
		}
		if d := s.delay(origin{network: "good"}, "alice"); d != 0 {
			t.Errorf("another address waits for %v", d)
		}
		for range 100 {
			s.failed(origin{network: "bad"}, "alice")
		}
		if d := s.delay(origin{network: "bad"}, "alice"); d != throttleMax {
			t.Errorf("after a flood, a login waits for %v", d)
		}
		<-time.After(throttleMax)
		if d := s.delay(origin{network: "bad"}, "alice"); d != 0 {
			t.Errorf("a while after the flood, a login waits for %v", d)
		}
	})
}

// TestUserWhoIsGuessedFromManyAddresses is a guess from each of them: then they wait, and those
// that have not guessed do not.
func TestUserWhoIsGuessedFromManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s throttle
		for i := range 10 * failuresMax {
			from := origin{network: strconv.Itoa(i)}
			if d := s.delay(from, "alice"); d != 0 {
				t.Fatalf("the first guess of an address waits for %v", d)
			}
			s.failed(from, "alice")
		}
		if d := s.delay(origin{network: "199"}, "alice"); d != throttleMax {
			t.Errorf("the second guess of an address waits for %v", d)
		}
		if d := s.delay(origin{network: "199"}, "bob"); d != 0 {
			t.Errorf("a guess at another user waits for %v", d)
		}
	})
}

func TestGuessesGoOnAtAPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s throttle
		begin, guesses := time.Now(), 0
		for time.Since(begin) < time.Minute {
			if s.wait(t.Context(), origin{network: "bad"}, "alice") == nil {
				guesses++
				s.failed(origin{network: "bad"}, "alice")
			}
		}
		if most := failuresMax + int(time.Minute/failureCost) + 1; guesses > most {
			t.Errorf("%d guesses in a minute, at most %d", guesses, most)
		}
	})
}

func TestDebtorsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s throttle
		for range failuresMax + 1 {
			s.failed(origin{network: "worst"}, "alice")
		}
		for i := range 2 * debtorsMax {
			s.failed(origin{network: strconv.Itoa(i)}, strconv.Itoa(i))
		}
		if len(s.addresses) > debtorsMax || len(s.users) > debtorsMax {
			t.Errorf("%d addresses and %d users are remembered", len(s.addresses), len(s.users))
		}
		if s.delay(origin{network: "worst"}, "alice") == 0 {
			t.Error("the worst of them was forgotten")
		}
		<-time.After(time.Hour)
		s.failed(origin{network: "new"}, "new")
		if len(s.addresses) != 1 || len(s.users) != 1 {
			t.Errorf("%d addresses and %d users are remembered after an hour",
				len(s.addresses), len(s.users))
		}
	})
}

// TestFloodOfWrongPasswords is what it is all for: it costs few hashes, the right user gets in from
// elsewhere at once, and from the same address soon after.
func TestFloodOfWrongPasswords(t *testing.T) {
	made, _ := slowly("alice")
	synctest.Test(t, func(t *testing.T) {
		a := NewInternal(made.users, Options{})
		bad := tcp("192.0.2.1")
		const guesses = 1000
		errs := make(chan error, guesses)
		for i := range guesses {
			go func() { errs <- a.Login(t.Context(), "alice", fmt.Sprint("word-", i), bad) }()
		}
		throttled := 0
		for range guesses {
			switch err := <-errs; {
			case err == nil:
				t.Error("a wrong password is right")
			case errors.Is(err, ErrThrottled):
				throttled++
			}
		}
		if n := int(a.hashes.Load()); n > failuresMax+2*hashesMax || n+throttled != guesses {
			t.Errorf("of %d guesses %d were computed, %d throttled", guesses, n, throttled)
		}
		for range failuresMax {
			a.throttle.failed(originOf(bad), "alice")
		}
		begin := time.Now()
		a.expect(t, "alice", "alice-word", tcp("198.51.100.7"), nil)
		a.expect(t, "alice", "alice-word", tcp("2001:db8::1"), nil)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the right password waited for %v elsewhere", waited)
		}
		a.expect(t, "alice", "alice-word", bad, nil)
		if waited := time.Since(begin); waited != throttleMax {
			t.Errorf("the right password waited for %v where wrong ones came from", waited)
		}
	})
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::2", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
	} {
		if same := originOf(tcp(c.a)) == originOf(tcp(c.b)); same != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, same)
		}
	}
	if originOf(nil) != (origin{}) || originOf(inMemory(t)) == (origin{}) {
		t.Error("what has no address has another origin")
	}
}
