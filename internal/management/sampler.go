package management

import (
	"slices"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// sampler takes samples of everything that has statistics.
type sampler struct {
	h        *Handler
	interval time.Duration
	detailed bool

	queues      *histories[*broker.Queue]
	exchanges   *histories[exchangeID]
	connections *histories[uint64]
	channels    *histories[uint64]
	vhosts      *histories[string]
	total       *histories[struct{}] // all that the node does
	node        *histories[struct{}]

	// mu guards sums: what each vhost had at the last sample.
	mu   sync.Mutex
	sums map[string]*messageCounts

	list []*broker.Queue // of the last sample, kept for the memory

	stop    chan struct{}
	stopped chan struct{}
}

// exchangeID names an exchange on the node.
type exchangeID struct{ vhost, name string }

// The numbers of a connection.
const (
	nReceived = iota
	nSent
	connectionNumbers
)

// retentions are RabbitMQ's sample_retention_policies: how far back and in which steps.
func retentions(interval time.Duration, policy ...[2]time.Duration) []retention {
	list := make([]retention, len(policy))
	for i, p := range policy {
		step := max(int64(p[1]/interval), 1)
		list[i] = retention{step: step, age: max(int64(p[0]/interval), step)}
	}
	return list
}

func basicRetention(interval time.Duration) []retention {
	return retentions(interval,
		[2]time.Duration{605 * time.Second, interval},
		[2]time.Duration{time.Hour, time.Minute})
}

func globalRetention(interval time.Duration) []retention {
	return retentions(interval,
		[2]time.Duration{605 * time.Second, interval},
		[2]time.Duration{3660 * time.Second, time.Minute},
		[2]time.Duration{29400 * time.Second, 10 * time.Minute},
		[2]time.Duration{24 * time.Hour, 30 * time.Minute})
}

func newSampler(h *Handler) *sampler {
	every := h.o.Interval
	basic, global := basicRetention(every), globalRetention(every)
	return &sampler{
		h: h, interval: every, detailed: h.o.RatesMode == RatesDetailed,
		queues:      newHistories[*broker.Queue](messageNumbers, basic, every),
		exchanges:   newHistories[exchangeID](messageNumbers, basic, every),
		connections: newHistories[uint64](connectionNumbers, basic, every),
		channels:    newHistories[uint64](messageNumbers, basic, every),
		vhosts:      newHistories[string](messageNumbers, global, every),
		total:       newHistories[struct{}](messageNumbers, global, every),
		node:        newHistories[struct{}](nodeNumbers, global, every),
		stop:        make(chan struct{}), stopped: make(chan struct{}),
	}
}

// run takes samples until close; the first one was taken before.
func (s *sampler) run() {
	defer close(s.stopped)
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			s.sample(now)
		}
	}
}

func (s *sampler) close() {
	close(s.stop)
	<-s.stopped
}

// sample takes one sample of everything.
func (s *sampler) sample(now time.Time) {
	vhosts := s.h.o.Broker.VHosts()
	sums := make(map[string]*messageCounts, len(vhosts))
	for _, v := range vhosts {
		s.list = v.AppendQueues(s.list)
		sums[v.Name()] = new(messageCounts)
	}
	s.sampleQueues(now, sums)
	s.exchanges.sample(now, func(f func(exchangeID, []int64)) {
		for _, v := range vhosts {
			in := int64(0)
			v.EachExchangeStats(func(name string, stats broker.MessageStats) {
				n := ofStats(&stats)
				in += n[nPublishIn]
				f(exchangeID{v.Name(), name}, n[:])
			})
			sums[v.Name()][nPublish] = in
		}
	})
	s.mu.Lock()
	s.sums = sums // nobody writes to them any more
	s.mu.Unlock()
	s.vhosts.sample(now, func(f func(string, []int64)) {
		for name, n := range sums {
			f(name, n[:])
		}
	})
	stats := s.h.o.Broker.Stats()
	total := ofStats(&stats)
	for _, n := range sums {
		total[nReady] += n[nReady]
		total[nUnacked] += n[nUnacked]
	}
	s.total.sample(now, func(f func(struct{}, []int64)) { f(struct{}{}, total[:]) })
	s.sampleDoors(now)
	info := s.h.o.Node()
	node := s.h.numbersOf(&info)
	s.node.sample(now, func(f func(struct{}, []int64)) { f(struct{}{}, node[:]) })
}

// sumOf returns what a vhost had at the last sample.
func (s *sampler) sumOf(vhost string) (n messageCounts, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.sums[vhost]
	if sum == nil {
		return n, false
	}
	return *sum, true
}

// sampleQueues samples the queues in s.list, and adds up those of each vhost.
func (s *sampler) sampleQueues(now time.Time, sums map[string]*messageCounts) {
	first := true
	s.queues.sample(now, func(f func(*broker.Queue, []int64)) {
		for _, q := range s.list {
			stats := q.Stats()
			n := ofQueue(&stats)
			if sum := sums[q.VHostName()]; first && sum != nil {
				sum.add(&n)
			}
			f(q, n[:])
		}
		first = false
	})
	clear(s.list)
	s.list = s.list[:0]
}

// sampleDoors samples connections and channels.
func (s *sampler) sampleDoors(now time.Time) {
	connections, channels := s.h.o.Connections(), s.h.o.Channels()
	s.connections.sample(now, func(f func(uint64, []int64)) {
		for i := range connections {
			n := ofConnection(&connections[i])
			f(connections[i].ID, n[:])
		}
	})
	s.channels.sample(now, func(f func(uint64, []int64)) {
		for i := range channels {
			n := ofStats(&channels[i].Stats)
			f(channels[i].ID, n[:])
		}
	})
}

func ofConnection(c *broker.Connection) (n [connectionNumbers]int64) {
	n[nReceived], n[nSent] = int64(c.Received), int64(c.Sent)
	return n
}

// figuresOf are the figures of an object: with rates, and samples for a window that is asked for.
func figuresOf[K comparable](
	s *histories[K], key K, now time.Time, numbers []int64, w *window,
) figures {
	f := figures{numbers: numbers, rates: s.rates(nil, key, now, numbers)}
	f.addSamples(w, func() [][]int64 { return samplesOf(s, key, w) })
	return f
}

// samplesOf are the numbers of an object at the times of a window.
func samplesOf[K comparable](s *histories[K], key K, w *window) [][]int64 {
	samples := make([][]int64, len(w.times))
	s.window(key, w.ticks(s.interval), func(i int, numbers []int64) {
		samples[i] = slices.Clone(numbers)
	})
	return samples
}

func (f *figures) addSamples(w *window, samples func() [][]int64) {
	if w != nil {
		f.window, f.samples = w, samples()
	}
}
