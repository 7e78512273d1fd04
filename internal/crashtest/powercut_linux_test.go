package crashtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const (
	// powerCuts is how often TestNothingConfirmedIsLostByPowerCut cuts the power;
	// WARREN_POWER_CUTS sets another number.
	powerCuts = 2
	// unsyncedCuts are enough to find that a broker does not sync.
	unsyncedCuts = 5
	// imageBytes is the size of the disk.
	imageBytes = 256 << 20
	// cutRequests: the cut comes this many requests to the disk at most after its moment, so
	// that many come between a write and the flush after it.
	cutRequests = 40
)

// TestNothingConfirmedIsLostByPowerCut runs a broker on an ext4 whose disk loses what was not
// flushed, cuts the power at a random instant under load, mounts what the disk has kept, starts the
// broker on it and looks at all its queues; then the next round goes on with them.
func TestNothingConfirmedIsLostByPowerCut(t *testing.T) {
	needs(t, asRoot(), "the right to mount")
	cuts := int(number(t, "WARREN_POWER_CUTS", powerCuts))
	begin := time.Now()
	w := newPowerWorld(t, warrenProgram(t, ""), rand.New(rand.NewPCG(seedOf(t), 2)))
	for cut := range cuts {
		if err := w.round(); err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
	}
	if err := w.round(); err != nil { // what the last cut left
		t.Fatalf("after the last cut: %v", err)
	}
	t.Logf("crash summary | power cut | %d cuts | %v; the disk lost %d sectors of %d writes, "+
		"with %d flushes | %.0f s", cuts, w.ledger.totals, w.counts.lost, w.counts.writes,
		w.counts.flushes, time.Since(begin).Seconds())
	if w.counts.lost == 0 || w.ledger.totals.required == 0 || w.ledger.totals.settled == 0 {
		t.Error("nothing was lost by the disk, had to survive, or to be gone: the load is no good")
	}
}

// TestAPowerCutShowsABrokerThatDoesNotSync: the proof above can fail.
func TestAPowerCutShowsABrokerThatDoesNotSync(t *testing.T) {
	needs(t, asRoot(), "the right to mount")
	w := newPowerWorld(t, warrenProgram(t, "nosync"), rand.New(rand.NewPCG(seedOf(t), 3)))
	for cut := range unsyncedCuts {
		err := w.round()
		if errors.Is(err, errViolation) {
			t.Logf("crash summary | power cut, sync removed | found at cut %d | %.150v |",
				cut, err)
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Errorf("a broker that never syncs went through %d power cuts unnoticed", unsyncedCuts)
}

// powerWorld is a disk with a data directory, and what is known of it.
type powerWorld struct {
	program string
	random  *rand.Rand
	ledger  *ledger
	dir     string
	image   []byte // of the disk while it is off
	rounds  int
	counts  diskCounts
	// The last cut came between these.
	before, after moment
}

func newPowerWorld(t *testing.T, program string, random *rand.Rand) *powerWorld {
	w := &powerWorld{program: program, random: random, dir: t.TempDir()}
	w.ledger = newLedger(allQueues())
	path := filepath.Join(w.dir, "empty")
	needs(t, makeImage(path, imageBytes), "mkfs.ext4")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if w.image, err = mapped(len(content)); err != nil {
		t.Fatal(err)
	}
	copyBlocks(w.image, content)
	needs(t, w.probe(), "FUSE and loop devices")
	return w
}

// probe is an error if there can be no such disk here.
func (w *powerWorld) probe() error {
	image, err := mapped(len(w.image))
	if err != nil {
		return err
	}
	copyBlocks(image, w.image)
	dir := filepath.Join(w.dir, "probe")
	disk, err := newVolatile(dir, image)
	if err != nil {
		return err
	}
	v, err := mountImage(disk.path(), filepath.Join(dir, "mount"))
	if err == nil {
		err = v.close()
	}
	return errors.Join(err, disk.close())
}

// round switches the disk on, starts a broker, looks, loads, and cuts the power.
func (w *powerWorld) round() (err error) {
	w.rounds++
	dir := filepath.Join(w.dir, fmt.Sprint(w.rounds))
	disk, err := newVolatile(dir, w.image)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, disk.close())
		w.counts.add(disk.counts)
	}()
	v, err := mountImage(disk.path(), filepath.Join(dir, "mount"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.close()) }()
	return w.live(disk, v)
}

func (a *diskCounts) add(b diskCounts) {
	a.writes, a.flushes, a.lost = a.writes+b.writes, a.flushes+b.flushes, a.lost+b.lost
}

// live is the life of a broker on a disk until the power is cut.
func (w *powerWorld) live(disk *volatile, v *volume) error {
	p, err := serve(w.program, v.data())
	if err != nil {
		return err
	}
	defer func() { _ = p.end(syscall.SIGKILL) }()
	if err := inspect(p.addr, w.ledger, w.random, w.before, w.after); err != nil {
		return fmt.Errorf("%w\nthe broker said: %s", err, p.stderr.tail())
	}
	l := startLoad(p.addr, w.ledger, w.random)
	<-time.After(time.Duration(w.random.Int64N(int64(lifeMax))))
	cut := make(chan []byte, 1)
	disk.arm(split(w.random), 1+w.random.IntN(cutRequests),
		func() { w.before = w.ledger.moment() },
		func(image []byte) {
			w.after = w.ledger.moment()
			cut <- image
		})
	select {
	case w.image = <-cut:
	case <-time.After(patience):
		return errors.New("the disk has nothing to do")
	}
	if err := p.kill(); err != nil {
		return err
	}
	return l.wait()
}
