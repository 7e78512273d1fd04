package perf

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// load returns options of a short run against a fake broker.
func load(b *fakeBroker, change func(o *Options)) Options {
	o := Options{
		URI: "amqp://fake", ID: "test", Dial: b.dial,
		Topology:  Topology{Exchange: "direct"},
		Producers: ProducerOptions{Count: 1, Size: 16, Messages: 2000},
		Consumers: ConsumerOptions{Count: 1, AutoAck: true},
	}
	change(&o)
	return o
}

// runLoad runs in a bubble of synctest, where waiting takes no time.
func runLoad(t *testing.T, set func(b *fakeBroker), change func(o *Options),
	check func(t *testing.T, r *Result, err error),
) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBroker(t)
		set(b)
		r, err := Run(t.Context(), load(b, change))
		check(t, r, err)
	})
}

func sound(*fakeBroker) {}

func wantClean(t *testing.T, r *Result, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if r.Check.Failed() || r.Check.Foreign > 0 || r.Check.Unchecked != "" {
		t.Errorf("check = %+v, want nothing", r.Check)
	}
}

func TestEveryMessageIsCounted(t *testing.T) {
	runLoad(t, sound, func(*Options) {}, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Sent != 2000 || r.Received != 2000 || r.Latency.Count != 2000 {
			t.Errorf("sent %d, received %d, timed %d: want 2000 each",
				r.Sent, r.Received, r.Latency.Count)
		}
	})
}

func TestBodiesOfEverySizeAreCounted(t *testing.T) {
	for _, size := range []int{0, 3, 4, 7, 8, 15, 16, 1000, 8192 - 8, 8192 - 7, 50_000} {
		change := func(o *Options) { o.Producers.Size, o.Producers.Messages = size, 300 }
		runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
			if err != nil || r.Received != 300 || r.Check.Failed() || r.Check.Foreign > 0 {
				t.Errorf("size %d: received %d, %+v, %v", size, r.Received, r.Check, err)
			}
			if (r.Check.Unchecked == "") != (size >= stampSize) {
				t.Errorf("size %d: unchecked %q", size, r.Check.Unchecked)
			}
		})
	}
}

func TestManyProducersQueuesAndConsumersAreToldApart(t *testing.T) {
	for _, consumers := range []int{2, 5, 10} {
		change := func(o *Options) {
			o.Topology.QueuePattern, o.Topology.QueueFrom, o.Topology.QueueTo = "q-%d", 1, 5
			o.Producers.Count, o.Producers.Messages = 10, 200
			o.Consumers = ConsumerOptions{Count: consumers, Prefetch: 100}
		}
		runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
			wantClean(t, r, err)
			if r.Sent != 2000 || r.Received != 2000 {
				t.Errorf("sent %d, received %d: want 2000 each", r.Sent, r.Received)
			}
		})
	}
}

func TestEachConsumerWithoutNamedQueueGetsEverything(t *testing.T) {
	change := func(o *Options) { o.Consumers.Count = 3 }
	runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Received != 3*r.Sent {
			t.Errorf("received %d of %d, want three times as many", r.Received, r.Sent)
		}
	})
}

func TestLossIsFound(t *testing.T) {
	set := func(b *fakeBroker) {
		b.deliver = func(n int, body []byte) []fakeDelivery {
			if n%100 == 7 || n >= 1990 {
				return nil
			}
			return []fakeDelivery{{body: body}}
		}
	}
	runLoad(t, set, func(*Options) {}, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Check.Lost != 30 || r.Check.Duplicates+r.Check.Misordered != 0 {
			t.Errorf("check = %+v, %v, want 30 lost", r.Check, err)
		}
	})
}

func TestDuplicatesAreFound(t *testing.T) {
	set := func(b *fakeBroker) {
		b.deliver = func(n int, body []byte) []fakeDelivery {
			if n%100 == 7 {
				return []fakeDelivery{{body: body}, {body: body, redelivered: true}}
			}
			return []fakeDelivery{{body: body}}
		}
	}
	runLoad(t, set, func(*Options) {}, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Check.Duplicates != 20 || r.Check.Lost+r.Check.Misordered != 0 {
			t.Errorf("check = %+v, %v, want 20 duplicates", r.Check, err)
		}
		if r.Redelivered != 20 {
			t.Errorf("redelivered = %d, want 20", r.Redelivered)
		}
	})
}

// swapped delays every hundredth message by one.
func swapped(redelivered bool) func(b *fakeBroker) {
	return func(b *fakeBroker) {
		var late []byte
		b.deliver = func(n int, body []byte) []fakeDelivery {
			switch n % 100 {
			case 7:
				late = body
				return nil
			case 8:
				return []fakeDelivery{{body: body}, {body: late, redelivered: redelivered}}
			}
			return []fakeDelivery{{body: body}}
		}
	}
}

func TestDisorderIsFound(t *testing.T) {
	runLoad(t, swapped(false), func(*Options) {}, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Check.Misordered != 20 || r.Check.Lost+r.Check.Duplicates != 0 {
			t.Errorf("check = %+v, %v, want 20 misordered", r.Check, err)
		}
	})
}

func TestRedeliveredMessagesMayComeLate(t *testing.T) {
	runLoad(t, swapped(true), func(*Options) {}, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
	})
}

func TestMessagesOfOtherRunsAreForeign(t *testing.T) {
	set := func(b *fakeBroker) {
		old := make([]byte, 16)
		putStamp(old, stamp{run: runOf("other"), sequence: 5})
		b.queue("test.0").backlog = [][]byte{old, []byte("short"), old}
	}
	runLoad(t, set, func(*Options) {}, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Check.Foreign != 3 || r.Received != 2000 || r.Check.Failed() {
			t.Errorf("received %d, check = %+v, %v, want 3 foreign", r.Received, r.Check, err)
		}
	})
}

func TestRateIsKept(t *testing.T) {
	change := func(o *Options) {
		o.Producers.Count, o.Producers.Messages, o.Producers.Rate = 4, 0, 250
		o.Time = 10 * time.Second
	}
	runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Sent < 9_996 || r.Sent > 10_004 {
			t.Errorf("sent %d in 10 s at 4 times 250 msg/s", r.Sent)
		}
		if r.Latency.Max != 0 || r.LagMax != 0 {
			t.Errorf("latency %v, lag %v: want 0 by a clock that stands still",
				r.Latency.Max, r.LagMax)
		}
	})
}

func TestConsumerRateIsKept(t *testing.T) {
	change := func(o *Options) {
		o.Producers.Messages = 101
		o.Consumers = ConsumerOptions{Count: 1, Rate: 10}
		o.DrainIdle = 20 * time.Second // one read may hold what takes ten
	}
	runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.ReceivedSeconds > 10 || r.Received != 101 {
			t.Errorf("received %d in %v s", r.Received, r.ReceivedSeconds)
		}
	})
}

func TestLimitOfConsumersEndsTheRun(t *testing.T) {
	change := func(o *Options) {
		o.Producers.Messages, o.Consumers.Messages = 0, 500
		o.Consumers.AutoAck, o.Consumers.MultiAckEvery = false, 100
	}
	runLoad(t, sound, change, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Received != 500 || r.Check.Failed() {
			t.Errorf("received %d, %+v, %v, want 500", r.Received, r.Check, err)
		}
	})
}

func TestConsumersAloneEndWithTheTime(t *testing.T) {
	set := func(b *fakeBroker) {
		for n := range 30 {
			body := make([]byte, 16)
			putStamp(body, stamp{run: runOf("elsewhere"), sequence: uint32(n)})
			b.queue("q").backlog = append(b.queue("q").backlog, body)
		}
	}
	change := func(o *Options) {
		o.Producers.Count, o.Topology.Queue, o.Time = 0, "q", time.Second
	}
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		if err != nil || r.Received != 30 || r.Check.Failed() || r.Check.Foreign > 0 {
			t.Errorf("received %d, %+v, %v, want 30", r.Received, r.Check, err)
		}
	})
}

func TestReturnedMessagesAreNotLost(t *testing.T) {
	set := func(b *fakeBroker) { b.unroutable = true }
	change := func(o *Options) { o.Producers.Mandatory = true }
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Returned != 2000 {
			t.Errorf("returned %d, want 2000", r.Returned)
		}
	})
}

func TestNackedMessagesAreNotLost(t *testing.T) {
	set := func(b *fakeBroker) {
		b.deliver = func(n int, body []byte) []fakeDelivery {
			if (n+1)%10 == 0 {
				return nil
			}
			return []fakeDelivery{{body: body}}
		}
		b.confirm = func(c *fakeConn, tag uint64) {
			if tag%10 == 0 {
				c.send(channelID, &amqp.BasicNack{DeliveryTag: tag})
				return
			}
			c.send(channelID, &amqp.BasicAck{DeliveryTag: tag})
		}
	}
	change := func(o *Options) { o.Producers.Confirm = 50 }
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Nacked != 200 || r.Confirmed != 1800 || r.ConfirmLatency.Count != 2000 {
			t.Errorf("nacked %d, confirmed %d, timed %d", r.Nacked, r.Confirmed,
				r.ConfirmLatency.Count)
		}
	})
}

func TestUnconfirmedMessagesStayWithinTheirLimit(t *testing.T) {
	const limit = 50
	var most atomic.Uint64
	set := func(b *fakeBroker) {
		var confirmed uint64
		b.confirm = func(c *fakeConn, tag uint64) {
			most.Store(max(most.Load(), tag-confirmed))
			if tag-confirmed == limit {
				confirmed = tag
				c.write(amqp.AppendBasicAck(nil, channelID, tag, true))
			}
		}
	}
	change := func(o *Options) { o.Producers.Confirm = limit }
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if most.Load() != limit || r.Confirmed != 2000 {
			t.Errorf("unconfirmed %d at most, want %d; confirmed %d",
				most.Load(), limit, r.Confirmed)
		}
	})
}

func TestMissingConfirmsEndTheRun(t *testing.T) {
	set := func(b *fakeBroker) { b.confirm = func(*fakeConn, uint64) {} }
	change := func(o *Options) { o.Producers.Confirm, o.Time = 50, time.Second }
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		wantClean(t, r, err)
		if r.Sent != 50 || r.Confirmed != 0 {
			t.Errorf("sent %d, confirmed %d: want 50 and 0", r.Sent, r.Confirmed)
		}
	})
}

func TestBrokerThatStopsReadingEndsTheRun(t *testing.T) {
	set := func(b *fakeBroker) { b.deaf = 100 }
	change := func(o *Options) { o.Producers.Messages, o.Time = 0, time.Second }
	runLoad(t, set, change, func(t *testing.T, r *Result, err error) {
		if !errors.Is(err, errBlocked) || r == nil || r.Received != 100 {
			t.Errorf("result %+v, error %v, want %v", r, err, errBlocked)
		}
	})
}

func TestBrokersWordsAreTheError(t *testing.T) {
	for _, id := range []amqp.MethodID{
		amqp.MethodQueueDeclare, amqp.MethodBasicConsume, amqp.MethodConfirmSelect,
		amqp.MethodBasicPublish,
	} {
		set := func(b *fakeBroker) { b.refuse = id }
		change := func(o *Options) { o.Producers.Confirm = 50 }
		runLoad(t, set, change, func(t *testing.T, _ *Result, err error) {
			var refusal *amqp.Error
			if !errors.As(err, &refusal) || refusal.Code != amqp.NotFound {
				t.Errorf("%v refused: error %v", id, err)
			}
		})
	}
}

func TestInterruptEndsTheRunInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBroker(t)
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		samples := 0
		r, err := Run(ctx, load(b, func(o *Options) {
			o.Producers.Messages, o.Producers.Rate = 0, 100
			o.Progress = func(Sample) { samples++ }
		}))
		wantClean(t, r, err)
		if samples != 2 || r.Sent != r.Received {
			t.Errorf("%d samples, sent %d, received %d", samples, r.Sent, r.Received)
		}
	})
}

func TestPredeclaredTopologyIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newFakeBroker(t)
		b.bound["key"] = []*fakeQueue{b.queue("q")}
		r, err := Run(t.Context(), load(b, func(o *Options) {
			o.Topology = Topology{Exchange: "x", Queue: "q", RoutingKey: "key", Predeclared: true}
		}))
		wantClean(t, r, err)
		for _, id := range b.seen {
			if id == amqp.MethodQueueDeclare || id == amqp.MethodExchangeDeclare {
				t.Errorf("%v was sent", id)
			}
		}
		if !slices.Contains(b.seen, amqp.MethodBasicConsume) {
			t.Error("nothing was consumed")
		}
	})
}

func TestRunThroughARelayIsClean(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- Relay(l) }()
	r, err := Run(t.Context(), Options{
		URI:       "relay://" + l.Addr().String(),
		Producers: ProducerOptions{Count: 1, Size: 100, Messages: 50_000},
		Consumers: ConsumerOptions{Count: 1, AutoAck: true},
	})
	wantClean(t, r, err)
	if r.Received != 50_000 {
		t.Errorf("received %d, want 50000", r.Received)
	}
	if err := errors.Join(l.Close(), <-ended); err != nil {
		t.Error(err)
	}
}

func TestOptionsBeyondTheirLimitsAreRefused(t *testing.T) {
	one := ProducerOptions{Count: 1}
	for want, o := range map[string]Options{
		"scheme":    {URI: "http://x", Producers: one},
		"neither":   {},
		"producers": {Producers: ProducerOptions{Count: ProducersMax + 1}},
		"consumers": {Consumers: ConsumerOptions{Count: ConsumersMax + 1}},
		"size":      {Producers: ProducerOptions{Count: 1, Size: SizeMax + 1}},
		"confirm":   {Producers: ProducerOptions{Count: 1, Confirm: ConfirmMax + 1}},
		"rate":      {Producers: ProducerOptions{Count: 1, Rate: -1}},
		"forever":   {Consumers: ConsumerOptions{Count: 1, Prefetch: 10, MultiAckEvery: 11}},
		"prefetch":  {Consumers: ConsumerOptions{Count: 1, Prefetch: 1 << 16}},
		"one %d":    {Producers: one, Topology: Topology{QueuePattern: "q", QueueTo: 1}},
		"both":      {Producers: one, Topology: Topology{QueuePattern: "q%d", Queue: "q"}},
		"10001":     {Producers: one, Topology: Topology{QueuePattern: "q%d", QueueTo: QueuesMax}},
		"duration":  {Producers: one, Time: -1},
		"a relay":   {URI: "relay://x", Producers: one},
	} {
		if o.URI == "" {
			o.URI = "amqp://127.0.0.1:1"
		}
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one about %q", err, want)
		}
	}
}
