package metrics

import (
	"math"
	"regexp"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
)

// scrape is one answer under way. What it looked at once it does not look at again.
type scrape struct {
	h         *Handler
	page      *page
	perObject bool
	// only are the vhosts wanted, nil for all; named is what names of queues have to match.
	only  []string
	named *regexp.Regexp

	queueList      []shownQueue
	channelList    []broker.Channel
	connectionList []broker.Connection
	looked         struct{ queues, channels, connections bool }
	leftOut        int // objects beyond objectsMax
}

// shownQueue is a queue as it was when it was looked at.
type shownQueue struct {
	vhost, name string
	broker.QueueStats
}

// metric is one of the metrics of a kind of objects.
type metric[T any] struct {
	name  string
	kind  kind
	help  string
	value func(*T) float64
}

// write writes metrics of objects: their sum, or each.
func write[T any](s *scrape, list []T, metrics []metric[T], labels func(*T) []label) {
	if s.perObject {
		s.leftOut += max(0, len(list)-objectsMax)
		list = list[:min(len(list), objectsMax)]
	}
	var names [][]label
	if s.perObject {
		names = make([][]label, len(list))
		for i := range list {
			names[i] = labels(&list[i])
		}
	}
	for i := range metrics {
		m := &metrics[i]
		s.page.family(m.name, m.kind, m.help)
		if s.perObject {
			for j := range list {
				s.page.sample(m.name, "", m.value(&list[j]), names[j]...)
			}
			continue
		}
		sum := 0.0
		for j := range list {
			if v := m.value(&list[j]); !math.IsNaN(v) {
				sum += v
			}
		}
		s.page.sample(m.name, "", sum)
	}
}

func (s *scrape) wanted(vhost string) bool {
	return s.only == nil || slices.Contains(s.only, vhost)
}

// lookAtQueues notes all queues that are wanted.
func (s *scrape) lookAtQueues() []shownQueue {
	if s.looked.queues {
		return s.queueList
	}
	s.looked.queues = true
	var queues []*broker.Queue
	for _, v := range s.h.o.Broker.VHosts() {
		if !s.wanted(v.Name()) {
			continue
		}
		queues = v.AppendQueues(queues[:0])
		s.queueList = slices.Grow(s.queueList, len(queues))
		for _, q := range queues {
			if s.named == nil || s.named.MatchString(q.Name()) {
				s.queueList = append(s.queueList, shownQueue{v.Name(), q.Name(), q.Stats()})
			}
		}
	}
	return s.queueList
}

func (s *scrape) lookAtChannels() []broker.Channel {
	if !s.looked.channels {
		s.looked.channels = true
		for _, c := range s.h.o.Channels() {
			if s.wanted(c.VHost) {
				s.channelList = append(s.channelList, c)
			}
		}
	}
	return s.channelList
}

func (s *scrape) lookAtConnections() []broker.Connection {
	if !s.looked.connections {
		s.looked.connections = true
		for _, c := range s.h.o.Connections() {
			if s.wanted(c.VHost) {
				s.connectionList = append(s.connectionList, c)
			}
		}
	}
	return s.connectionList
}

func (s *scrape) queueFamily(metrics []metric[shownQueue]) {
	write(s, s.lookAtQueues(), metrics, func(q *shownQueue) []label {
		return []label{{"vhost", q.vhost}, {"queue", q.name}}
	})
}

func (s *scrape) channelFamily(metrics []metric[broker.Channel]) {
	node := s.h.o.Node().Name
	write(s, s.lookAtChannels(), metrics, func(c *broker.Channel) []label {
		return []label{{"channel", broker.PID(node, c.ID)}}
	})
}

// connectionFamily writes metrics of connections, whose label RabbitMQ calls channel.
func (s *scrape) connectionFamily(metrics []metric[broker.Connection]) {
	node := s.h.o.Node().Name
	write(s, s.lookAtConnections(), metrics, func(c *broker.Connection) []label {
		return []label{{"channel", broker.PID(node, c.ID)}}
	})
}

// queues, channels and connections write all there is of each.
func (s *scrape) queues() {
	s.queueFamily(slices.Concat(queueCoarse(), queueConsumers(), queueMore(), queuePublishes(),
		queueDeliveries()))
}

func (s *scrape) channels() {
	s.channelFamily(slices.Concat(channelState(), channelPublishes(), channelDeliveries()))
}

func (s *scrape) connections() {
	s.connectionFamily(slices.Concat(connectionCoarse(), connectionMore()))
}

// totals counts objects.
func (s *scrape) totals() {
	consumers := 0
	for _, t := range s.h.o.Broker.Totals() {
		consumers += t.Consumers
	}
	p := s.page
	p.one("connections", gauge, "Connections currently open", float64(len(s.connectionList)))
	p.one("channels", gauge, "Channels currently open", float64(len(s.channelList)))
	p.one("consumers", gauge, "Consumers currently connected", float64(consumers))
	p.one("queues", gauge, "Queues available", float64(len(s.queueList)))
}

// exchanges writes what went through each exchange.
func (s *scrape) exchanges() {
	type row struct {
		vhost, name string
		broker.MessageStats
	}
	var rows []row
	for _, v := range s.h.o.Broker.VHosts() {
		if s.wanted(v.Name()) {
			v.EachExchangeStats(func(name string, stats broker.MessageStats) {
				rows = append(rows, row{v.Name(), name, stats})
			})
		}
	}
	write(s, rows, []metric[row]{
		{"exchange_messages_published_in_total", counter, "Messages published to the exchange",
			func(r *row) float64 { return float64(r.PublishIn) }},
		{"exchange_messages_published_out_total", counter,
			"Messages the exchange routed to queues",
			func(r *row) float64 { return float64(r.PublishOut) }},
	}, func(r *row) []label { return []label{{"vhost", r.vhost}, {"exchange", r.name}} })
}

func (s *scrape) vhosts() {
	s.page.family("vhost_status", gauge, "Whether the vhost is running")
	for _, v := range s.h.o.Broker.VHosts() {
		if s.wanted(v.Name()) {
			s.page.sample("vhost_status", "", 1, label{"vhost", v.Name()})
		}
	}
}

func (s *scrape) exchangeNames() {
	s.page.family("exchange_name", gauge, "Exchanges, always 1")
	for _, v := range s.h.o.Broker.VHosts() {
		if !s.wanted(v.Name()) {
			continue
		}
		for _, x := range v.Exchanges() {
			s.page.sample("exchange_name", "", 1, label{"vhost", v.Name()},
				label{"exchange", x.Name}, label{"type", x.Type})
		}
	}
}

func (s *scrape) exchangeBindings() {
	s.page.family("exchange_bindings", gauge, "Bindings by their source")
	for _, v := range s.h.o.Broker.VHosts() {
		if !s.wanted(v.Name()) {
			continue
		}
		bindings := make(map[string]int)
		for _, b := range v.Bindings() {
			bindings[b.Source]++
		}
		for _, x := range v.Exchanges() {
			s.page.sample("exchange_bindings", "", float64(bindings[x.Name]),
				label{"vhost", v.Name()}, label{"exchange", x.Name}, label{"type", x.Type})
		}
	}
}
