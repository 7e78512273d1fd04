package amqp091_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/warrentest"
)

const (
	// fullDiskBytes has room for more than what is set aside.
	fullDiskBytes = 64 << 20
	// fullBody is the size of messages that fill it, in one frame.
	fullBody = 100 << 10
)

// openPublisher logs in a client that hears when it is blocked, with confirms on channel 1, and
// declares the durable q.
func openPublisher(t *testing.T, addr net.Addr) *warrentest.Client {
	c := warrentest.Dial(t, addr)
	c.HandshakeWith(hearing(), 0)
	openChannels(c, 2)
	c.Call(1, &amqp.ChannelOpen{}, amqp.MethodChannelOpenOk)
	c.Call(1, &amqp.ConfirmSelect{}, amqp.MethodConfirmSelectOk)
	declare(c, "q", true)
	return c
}

// fullContent is a large persistent message for q: what comes before its body, and that.
func fullContent() (head, body []byte) {
	p := persistent()
	head = amqp.AppendBasicPublish(nil, 1, "", "q", false, false)
	head = amqp.AppendContentHeader(head, 1, p.AppendTo(nil), fullBody)
	return head, amqp.AppendBody(nil, 1, make([]byte, fullBody), 128<<10)
}

// fillDisk publishes one message at a time until the node says that the disk is full, and returns
// how many there are.
func fillDisk(t *testing.T, c *warrentest.Client) (count int) {
	for count*fullBody < 2*fullDiskBytes {
		head, body := fullContent()
		c.Raw(append(head, body...))
		count++
		f, ok := c.Frame()
		if !ok {
			t.Fatal("the connection ended")
		}
		m, err := amqp.ParseMethod(f.Payload)
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := m.(*amqp.ConnectionBlocked); ok && b.Reason == "low on disk" {
			return count
		}
		if _, ok := m.(*amqp.BasicAck); !ok {
			t.Fatalf("%+v came, no confirm", m)
		}
	}
	t.Fatal("the disk is never full")
	return 0
}

// drain takes and settles messages of q until publishers may go on.
func drain(t *testing.T, addr net.Addr, m *broker.Manager) (count int) {
	c := warrentest.Open(t, addr)
	deadline := time.Now().Add(20 * time.Second)
	for m.Alarms() != 0 {
		if time.Now().After(deadline) {
			t.Fatalf("the disk is full though %d messages have gone", count)
		}
		c.Send(1, &amqp.BasicGet{Queue: "q", NoAck: true})
		f, ok := c.Frame()
		if !ok {
			t.Fatal("the connection ended")
		}
		if got, err := amqp.ParseMethod(f.Payload); err != nil {
			t.Fatal(err)
		} else if _, ok := got.(*amqp.BasicGetOk); ok {
			_, _ = c.Content(1)
			count++
		}
	}
	return count
}

// goesOn expects a client to hear that it is blocked no more, and the confirm that it waits for, in
// whatever order. If others who were held fill the disk once more, it has it drained again.
func goesOn(t *testing.T, c *warrentest.Client, again func()) {
	t.Helper()
	unblocked, confirmed := 0, 0
	for unblocked+confirmed < 2 {
		switch m := c.TryMethod().(type) {
		case *amqp.ConnectionUnblocked:
			unblocked++
		case *amqp.BasicAck:
			confirmed++
		case *amqp.ConnectionBlocked:
			unblocked--
			again()
		default:
			t.Fatalf("%+v came", m)
		}
	}
	if unblocked != 1 {
		t.Errorf("unblocked %d times", unblocked)
	}
}

// TestAPublisherWhoWasFirstIsBlockedToo: the header of its message came in when there was no alarm,
// and the rest of it when the disk was full. It waits for a confirm, and must hear why there is
// none, though it publishes nothing more.
func TestAPublisherWhoWasFirstIsBlockedToo(t *testing.T) {
	fs := disk.NewMemory()
	fs.SetCapacity(fullDiskBytes)
	addr, m, _ := serveBroker(t, fs)
	t.Cleanup(func() { fs.SetCapacity(0) }) // whoever waits still
	early, filler := openPublisher(t, addr), openPublisher(t, addr)
	head, body := fullContent()
	early.Raw(head)
	silent(early, 2) // that has been read
	count := 1 + fillDisk(t, filler)
	early.Raw(body)
	blockedFor(t, early, "low on disk")
	again := func() { count -= drain(t, addr, m) }
	again()
	goesOn(t, early, again)
	untilReady(t, early, "q", count)
}

// TestWhoWaitsForTheStoreHearsOfItsAlarm, though nothing more is published: messages are taken, and
// the log does not get them to the disk.
func TestWhoWaitsForTheStoreHearsOfItsAlarm(t *testing.T) {
	commit := func(c *warrentest.Client) {
		c.Call(2, &amqp.TxSelect{}, amqp.MethodTxSelectOk)
		p := persistent()
		b := amqp.AppendBasicPublish(nil, 2, "", "q", false, false)
		c.Raw(amqp.AppendContent(b, 2, p.AppendTo(nil), nil, amqp.FrameMinSize))
		c.Call(2, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
	}
	head, body := fullContent()
	for name, test := range map[string]struct {
		before, after func(c *warrentest.Client)
		answer        amqp.MethodID
	}{
		"published before": {
			func(c *warrentest.Client) { c.Raw(append(head, body...)); silent(c, 2) },
			func(*warrentest.Client) {}, amqp.MethodBasicAck,
		},
		"begun before": {
			func(c *warrentest.Client) { c.Raw(head); silent(c, 2) },
			func(c *warrentest.Client) { c.Raw(body) }, amqp.MethodBasicAck,
		},
		"commit": {
			commit, func(c *warrentest.Client) { c.Send(2, &amqp.TxCommit{}) },
			amqp.MethodTxCommitOk,
		},
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			goOn := sync.OnceFunc(func() { close(release) })
			addr, m, _ := serveBroker(t, faulty(func(c disk.Call) disk.Fault {
				if c.Op == disk.OpSync {
					return disk.Fault{Wait: func() { <-release }}
				}
				return disk.Fault{}
			}))
			t.Cleanup(goOn)
			c := openPublisher(t, addr)
			test.before(c)
			m.SetAlarm(broker.StoreAlarm, true)
			test.after(c)
			blockedFor(t, c, "low on disk")
			m.SetAlarm(broker.StoreAlarm, false)
			c.Expect(0, amqp.MethodConnectionUnblocked)
			goOn()
			if a := c.TryMethod(); a == nil || a.ID() != test.answer {
				t.Errorf("%+v came where %v was expected", a, test.answer)
			}
		})
	}
}

// TestWhoWaitsForTheStoreDoesNotHearOfOtherAlarms: as RabbitMQ, who blocks who publishes then.
func TestWhoWaitsForTheStoreDoesNotHearOfOtherAlarms(t *testing.T) {
	release := make(chan struct{})
	addr, m, _ := serveBroker(t, faulty(func(c disk.Call) disk.Fault {
		if c.Op == disk.OpSync {
			return disk.Fault{Wait: func() { <-release }}
		}
		return disk.Fault{}
	}))
	t.Cleanup(func() { close(release) })
	c := openPublisher(t, addr)
	head, body := fullContent()
	c.Raw(append(head, body...))
	silent(c, 2)
	m.SetAlarm(broker.DiskAlarm|broker.MemoryAlarm, true)
	silent(c, 2)
}
