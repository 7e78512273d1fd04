package management

import (
	"slices"

	"github.com/warrenmq/warren/internal/broker"
)

// overall are the figures of some vhosts together: of messages, and of how full queues are, which
// differ in their windows.
type overall struct{ messages, lengths *figures }

// overall sums up vhosts.
func (v *view) overall(vhosts []*broker.VHost) overall {
	var total messageCounts
	rates := make([]float64, messageNumbers)
	for _, vhost := range vhosts {
		n := v.vhostNumbers(vhost)
		total.add(&n)
		one := v.h.sampler.vhosts.rates(nil, vhost.Name(), v.now, n[:])
		for i := range rates {
			if i == nReady || i == nUnacked || one[i] > 0 { // counts of what is deleted are gone
				rates[i] += one[i]
			}
		}
	}
	sum := func(w *window) *figures {
		f := &figures{numbers: total[:], rates: rates}
		f.addSamples(w, func() [][]int64 {
			samples := make([][]int64, len(w.times))
			for i := range samples {
				samples[i] = make([]int64, messageNumbers)
			}
			for _, vhost := range vhosts {
				v.h.sampler.vhosts.window(vhost.Name(), w.ticks(v.h.o.Interval),
					func(i int, numbers []int64) {
						for j := range numbers {
							samples[i][j] += numbers[j]
						}
					})
			}
			return samples
		})
		return f
	}
	return overall{messages: sum(v.messages), lengths: sum(v.lengths)}
}

// liveQueuesMax is how many queues of a vhost are asked, all of them, for each answer. Of more the
// sums are those of the last sample, as all of RabbitMQ's are.
const liveQueuesMax = 1000

// vhostNumbers are the numbers of a vhost now, or nearly.
func (v *view) vhostNumbers(vhost *broker.VHost) messageCounts {
	if vhost.QueueCount() > liveQueuesMax {
		if n, ok := v.h.sampler.sumOf(vhost.Name()); ok {
			return n
		}
	}
	return ofVHost(vhost)
}

// everything replaces the figures of messages by those of the whole node, which also know of what
// was deleted since.
func (v *view) everything(o *overall) {
	stats := v.h.o.Broker.Stats()
	n := ofStats(&stats)
	n[nReady], n[nUnacked] = o.messages.numbers[nReady], o.messages.numbers[nUnacked]
	f := figuresOf(v.h.sampler.total, struct{}{}, v.now, n[:], v.messages)
	o.messages = &f
}

// vhostStats writes what is in a vhost, how it moves, and what its connections send.
func (v *view) vhostStats(w *writer, vhost *broker.VHost) {
	if v.off && !v.totals || !slices.ContainsFunc([]string{
		"messages", "messages_ready", "messages_unacknowledged", "messages_details",
		"messages_ready_details", "messages_unacknowledged_details", "message_stats",
		"recv_oct", "recv_oct_details", "send_oct", "send_oct_details",
	}, w.wants) {
		return
	}
	if v.off {
		n := ofVHost(vhost)
		w.statistics(lengths(), &figures{numbers: n[:]})
		return
	}
	f := v.overall([]*broker.VHost{vhost})
	w.statistics(lengths(), f.lengths)
	if !v.uncounted {
		w.messageStats(f.messages, publishing(), delivering())
	}
	v.traffic(w, vhost)
}

// traffic writes what the connections of a vhost send and receive.
func (v *view) traffic(w *writer, vhost *broker.VHost) {
	var numbers [connectionNumbers]int64
	f := figures{numbers: numbers[:], rates: make([]float64, connectionNumbers)}
	all := v.h.o.Connections()
	for i := range all {
		if all[i].VHost != vhost.Name() {
			continue
		}
		n := ofConnection(&all[i])
		one := v.h.sampler.connections.rates(nil, all[i].ID, v.now, n[:])
		for j := range n {
			f.numbers[j] += n[j]
			f.rates[j] += one[j]
		}
	}
	w.statistics(bytesThrough(), &f)
}

// bytesThrough are the statistics of connections.
func bytesThrough() []statistic {
	return []statistic{{"recv_oct", []int{nReceived}}, {"send_oct", []int{nSent}}}
}
