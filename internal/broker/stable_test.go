package broker

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
)

// slowDefinitions is a disk whose syncs of the definitions wait, once held, for release.
type slowDefinitions struct {
	held    atomic.Bool
	waits   chan struct{} // one value for each sync that began to wait
	release chan struct{}
}

func newSlowDefinitions() (*slowDefinitions, disk.FS) {
	s := &slowDefinitions{waits: make(chan struct{}, 16), release: make(chan struct{})}
	return s, disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync && strings.Contains(c.Name, "definitions") && s.held.Load() {
			s.waits <- struct{}{}
			<-s.release
		}
		return disk.Fault{}
	})
}

// declareSlowly declares a durable queue whose definition does not become stable before
// release; it returns when the disk has the definition in hand.
func (s *slowDefinitions) declareSlowly(c *client, name string) (declared chan *amqp.Error) {
	s.held.Store(true)
	declared = make(chan *amqp.Error, 1)
	go func() {
		_, err := c.DeclareQueue(definition.Queue{Name: name, Durable: true})
		declared <- err
	}()
	<-s.waits
	return declared
}

func (s *slowDefinitions) goOn() {
	s.held.Store(false)
	close(s.release)
}

// notYet fails when done is ready though everybody waits: what it stands for has to wait too.
func notYet[T any](t *testing.T, done chan T, what string) {
	t.Helper()
	synctest.Wait()
	select {
	case <-done:
		t.Errorf("%s did not wait for the definition", what)
	default:
	}
}

func TestPublishWaitsForTheDefinitionOfItsQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fs := newSlowDefinitions()
		h := open(t, fs)
		declared := slow.declareSlowly(h.guest(), "q")
		c := h.guest()
		published := make(chan struct{})
		go func() {
			defer close(published)
			c.publish("", "q", "early", true)
		}()
		notYet(t, published, "a publish")
		q, err := h.guest().CheckQueue("q")
		if err != nil {
			t.Fatal(err)
		}
		if n := q.Stats().Ready; n != 0 {
			t.Errorf("%d messages are in a queue that a crash could take", n)
		}
		slow.goOn()
		<-published
		if err := <-declared; err != nil {
			t.Error(err)
		}
		if n := q.Stats().Ready; n != 1 {
			t.Errorf("%d messages in the queue, want 1", n)
		}
	})
}

func TestDeclareWaitsForTheDefinitionSomebodyElseIsWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fs := newSlowDefinitions()
		h := open(t, fs)
		first := slow.declareSlowly(h.guest(), "q")
		c := h.guest()
		second := make(chan *amqp.Error, 1)
		go func() {
			_, err := c.DeclareQueue(definition.Queue{Name: "q", Durable: true})
			second <- err
		}()
		h.guest().declare("light", false) // nothing of it is durable: it does not wait
		notYet(t, second, "a declare")
		slow.goOn()
		for _, done := range []chan *amqp.Error{first, second} {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

var errDisk = errors.New("the disk is full")

// failing is a disk that fails all writes and syncs of files whose name contains part, once
// broken is set.
func failing(broken *atomic.Bool, part string) disk.FS {
	return disk.Faulty(disk.NewMemory(), func(c disk.Call) disk.Fault {
		if broken.Load() && (c.Op == disk.OpWrite || c.Op == disk.OpSync) &&
			strings.Contains(c.Name, part) {
			return disk.Fault{Err: errDisk}
		}
		return disk.Fault{}
	})
}

// TestWhatTheLogDidNotTakeIsNeverStable publishes after the log has failed.
func TestWhatTheLogDidNotTakeIsNeverStable(t *testing.T) {
	var broken atomic.Bool
	h := open(t, failing(&broken, "messages"))
	c := h.guest()
	c.declare("q", true)
	c.stable(c.publish("", "q", "kept", true))
	broken.Store(true)
	if err := h.Wait(c.publish("", "q", "lost", true)); !errors.Is(err, errDisk) {
		t.Errorf("waiting for a message that could not be written: %v", err)
	}
	<-h.store.Failed()
	lsn := c.publish("", "q", "lost as well", true)
	if lsn == 0 {
		t.Fatal("a persistent message looks like one that needs no log")
	}
	if err := h.Wait(lsn); !errors.Is(err, errDisk) {
		t.Errorf("waiting for a message that the log did not take: %v", err)
	}
	if lsn := c.publish("", "q", "light", false); lsn != 0 {
		t.Errorf("a transient message has the position %d", lsn)
	}
}

func TestADeclarationThatCannotBeStoredIsAnInternalError(t *testing.T) {
	var broken atomic.Bool
	h := open(t, failing(&broken, "definitions"))
	c := h.guest()
	broken.Store(true)
	_, err := c.DeclareQueue(definition.Queue{Name: "q", Durable: true})
	if err == nil || err.Code != amqp.InternalError {
		t.Errorf("got %v", err)
	}
	<-h.store.Failed() // the node ends itself
	// Nobody is left waiting for the definition.
	if lsn := c.publish("", "q", "x", true); h.Wait(lsn) == nil {
		t.Error("a message counts as stored after the failure")
	}
}
