package crashtest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// killRounds is how often TestNothingConfirmedIsLostByKill kills a broker; WARREN_CRASHES
	// sets another number.
	killRounds = 5
	// lifeMax is how long a broker is loaded before it is killed.
	lifeMax = 400 * time.Millisecond
	// freshRounds is after how many rounds a new data directory begins.
	freshRounds = 25
)

// TestNothingConfirmedIsLostByKill loads a broker, kills it at a random moment, starts it again
// on the same directory and looks at all its queues; then the next round goes on with them.
func TestNothingConfirmedIsLostByKill(t *testing.T) {
	rounds := int(number(t, "WARREN_CRASHES", killRounds))
	random := rand.New(rand.NewPCG(seedOf(t), 1))
	begin := time.Now()
	var sum totals
	files := 0
	for round := 0; round < rounds; {
		world := &killWorld{program: warrenProgram(t, ""), dir: t.TempDir(), random: random}
		world.ledger = newLedger(allQueues())
		for ; round < rounds; round++ {
			if err := world.round(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if round%freshRounds == freshRounds-1 {
				round++
				break
			}
		}
		if err := world.finish(); err != nil {
			t.Fatalf("after round %d: %v", round, err)
		}
		sum.add(world.ledger.totals)
		files += lastFile(t, world.dir)
	}
	t.Logf("crash summary | kill -9 | %d kills | %v; %d files of messages | %.0f s", rounds, sum,
		files, time.Since(begin).Seconds())
	if sum.required == 0 || sum.settled == 0 {
		t.Error("nothing had to survive, or to be gone: the load is no good")
	}
	if files < 2*rounds {
		t.Errorf("%d files of messages in %d rounds: the log was hardly recycled", files, rounds)
	}
}

// lastFile returns the highest number that a file of messages in a data directory has: none was
// given twice.
func lastFile(t *testing.T, dir string) (last int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, number, _ := strings.Cut(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "-")
		if n, err := strconv.Atoi(number); err == nil {
			last = max(last, n)
		}
	}
	return last
}

func (a *totals) add(b totals) {
	a.sent, a.confirmed, a.settled = a.sent+b.sent, a.confirmed+b.confirmed, a.settled+b.settled
	a.required += b.required
}

func (a totals) String() string {
	return fmt.Sprintf("%d messages sent, %d confirmed; %d had to be there and were, %d had to "+
		"stay gone and did", a.sent, a.confirmed, a.required, a.settled)
}

// killWorld is one data directory and what is known of it.
type killWorld struct {
	program, dir string
	random       *rand.Rand
	ledger       *ledger
}

// round is a life of a broker: start, look at the queues, load, kill.
func (w *killWorld) round() error {
	if w.random.IntN(5) == 0 {
		if err := w.killEarly(); err != nil {
			return err
		}
	}
	p, err := serve(w.program, w.dir)
	if err != nil {
		return err
	}
	defer func() { _ = p.kill() }()
	now := w.ledger.moment()
	if err := inspect(p.addr, w.ledger, w.random, now, now); err != nil {
		return fmt.Errorf("%w\nthe broker said: %s", err, p.stderr.tail())
	}
	l := startLoad(p.addr, w.ledger, w.random)
	<-time.After(time.Duration(w.random.Int64N(int64(lifeMax))))
	signal := syscall.SIGKILL
	if w.random.IntN(10) == 0 {
		signal = syscall.SIGTERM // what a clean stop leaves has to be found as well
	}
	if err := p.end(signal); err != nil {
		return err
	}
	return l.wait()
}

// killEarly kills a broker that may still be recovering.
func (w *killWorld) killEarly() error {
	p, stdout, err := launch(w.program, w.dir)
	if err != nil {
		return err
	}
	<-time.After(time.Duration(w.random.Int64N(int64(50 * time.Millisecond))))
	_ = p.cmd.Process.Kill()
	_, _ = io.Copy(io.Discard, stdout)
	_ = p.cmd.Wait()
	return nil
}

// finish looks at the queues for a last time, stops the node cleanly and looks again.
func (w *killWorld) finish() error {
	for range 2 {
		p, err := serve(w.program, w.dir)
		if err != nil {
			return err
		}
		now := w.ledger.moment()
		err = inspect(p.addr, w.ledger, w.random, now, now)
		if endErr := p.end(syscall.SIGTERM); err == nil {
			err = endErr
		}
		if err != nil {
			return fmt.Errorf("%w\nthe broker said: %s", err, p.stderr.tail())
		}
	}
	return nil
}
