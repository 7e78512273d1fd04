package management

import (
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
		n := v.h.vhostNumbers(vhost)
		total.add(&n)
		one := v.h.sampler.vhosts.rates(nil, vhost.Name(), v.now, n[:])
		for i := range rates {
			rates[i] += one[i]
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

// vhostNumbers are the numbers of a vhost now.
func (h *Handler) vhostNumbers(v *broker.VHost) messageCounts {
	n := ofVHost(v)
	for _, q := range v.AppendQueues(nil) {
		s := q.Stats()
		n[nReady] += int64(s.Ready)
		n[nUnacked] += int64(s.Unacked)
	}
	return n
}

// vhostStats writes messages and message_stats of a vhost, with rates, unless there are no
// statistics.
func (v *view) vhostStats(w *writer, vhost *broker.VHost) {
	if v.off {
		return
	}
	f := v.overall([]*broker.VHost{vhost})
	w.statistics(lengths(), f.lengths)
	w.messageStats(f.messages, publishing(), delivering())
}
