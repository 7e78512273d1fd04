package crashtest

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
)

const (
	// fullImageBytes is a disk that is soon full.
	fullImageBytes = 96 << 20
	// fullBody is the size of the messages that fill it.
	fullBody = 64 << 10
	// afterFull messages are published once there is room again.
	afterFull = 50
	// fullRounds: what holds once has to hold again.
	fullRounds = 2
	fullQueue  = "full"
)

// TestAFullDiskHoldsPublishersBackAndLosesNothing fills a real, small disk: publishers are told
// that they are held back and why, consumers drain the queue, and publishers go on, without a
// restart. Then the node is killed, and everything confirmed and not settled is there.
func TestAFullDiskHoldsPublishersBackAndLosesNothing(t *testing.T) {
	for name, limit := range map[string]string{
		"at the limit": "", // disk_free_limit as it is
		"to the brim":  "disk_free_limit.absolute = 1",
	} {
		t.Run(name, func(t *testing.T) { fillDisk(t, name, limit) })
	}
}

// fillDisk does so with a setting of the node.
func fillDisk(t *testing.T, name, limit string) {
	needs(t, asRoot(), "the right to mount")
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	needs(t, makeImage(image, fullImageBytes), "mkfs.ext4")
	v, err := mountImage(image, filepath.Join(dir, "mount"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.close(); err != nil {
			t.Error(err)
		}
	})
	p, err := serve(warrenProgram(t, ""), v.data(), limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.kill() })
	begin := time.Now()
	g := newLedger([]string{fullQueue})
	f := &filler{addr: p.addr, ledger: g, body: make([]byte, fullBody)}
	if err := f.open(); err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for round := range fullRounds {
		if err := f.round(); err != nil {
			t.Fatalf("round %d: %v\nthe broker said: %s", round, err, p.stderr.tail())
		}
	}
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	if p, err = serve(warrenProgram(t, ""), v.data(), limit); err != nil {
		t.Fatal(err)
	}
	if err := lookAgain(p.addr, g); err != nil {
		t.Error(err)
	}
	t.Logf("crash summary | disk full, %s | %d times | blocked (%s), drained, "+
		"unblocked, no restart; %v | %.0f s", name, fullRounds, f.said, g.totals,
		time.Since(begin).Seconds())
}

// lookAgain holds the queue against the ledger after a restart.
func lookAgain(addr string, g *ledger) error {
	k, err := dial(addr)
	if err != nil {
		return err
	}
	defer k.close()
	l := &look{link: k, queue: fullQueue}
	if err := l.take(); err != nil {
		return err
	}
	now := g.moment()
	return g.restarted(fullQueue, l.list, now, now)
}

// filler fills a disk by one connection and empties it by another.
type filler struct {
	addr   string
	ledger *ledger
	body   []byte
	reason string // why it is held back; nothing: it is not
	said   string // the last reason there was
	link   *link
	confirms
}

func (f *filler) open() (err error) {
	if f.link, err = dial(f.addr); err != nil {
		return err
	}
	if err := declare(f.link, fullQueue); err != nil {
		return err
	}
	return f.confirms.open(f.link, 1, f.ledger)
}

func (f *filler) close() { f.link.close() }

// round fills the disk, empties it, and publishes on.
func (f *filler) round() error {
	if err := f.fill(); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	if err := f.drain(); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	if err := f.await(func() bool { return f.reason == "" }); err != nil {
		return fmt.Errorf("unblocked: %w", err)
	}
	upTo := f.sent + afterFull
	for f.sent < upTo {
		f.add()
	}
	if err := f.link.send(); err != nil {
		return err
	}
	return f.await(func() bool { return f.confirms.confirmed == f.sent })
}

func (f *filler) add() {
	f.body[0], f.body[1] = byte(f.sent), byte(f.sent>>8)
	p := f.next(f.body, true, fullQueue)
	f.link.publish(1, "", fullQueue, p, f.body)
}

// fill publishes until the broker says that it is held back.
func (f *filler) fill() error {
	const window, limit = 20, 4 * fullImageBytes / fullBody
	f.reason = ""
	for n := 0; f.reason == ""; n++ {
		if n > limit {
			return errors.New("a disk of a quarter of what was published is not full")
		}
		f.add()
		if err := f.link.send(); err != nil {
			return err
		}
		done := func() bool { return f.sent-f.confirms.confirmed < window || f.reason != "" }
		if err := f.await(done); err != nil {
			return err
		}
	}
	return nil
}

// await takes what comes until done says so.
func (f *filler) await(done func() bool) error {
	for !done() {
		m, err := f.link.next()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *amqp.ConnectionBlocked:
			if m.Reason == "" {
				return violation("blocked without a reason")
			}
			f.reason, f.said = m.Reason, m.Reason
		case *amqp.ConnectionUnblocked:
			f.reason = ""
		default:
			if err := f.take(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// drain settles all messages that are ready, on a connection of its own that publishes nothing.
func (f *filler) drain() error {
	k, err := dial(f.addr)
	if err != nil {
		return err
	}
	defer k.close()
	l := &look{link: k, queue: fullQueue}
	if err := l.take(); err != nil {
		return err
	}
	var ids []ident
	for _, item := range l.list {
		ids = append(ids, item.id)
	}
	f.ledger.doubt(fullQueue, ids...)
	k.method(1, &amqp.BasicAck{DeliveryTag: l.last, Multiple: true})
	_, err = k.call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
	return err
}
