package management

import "github.com/warrenmq/warren/internal/broker"

// The numbers that are kept of whatever has to do with messages, as histories hold them. What is
// not counted of something is 0.
const (
	nPublish = iota
	nConfirm
	nReturnUnroutable
	nDropUnroutable
	nPublishIn
	nPublishOut
	nDeliver
	nDeliverNoAck
	nGet
	nGetNoAck
	nGetEmpty
	nRedeliver
	nAck
	// Those that go up and down.
	nReady
	nUnacked
	messageNumbers
)

// messageCounts are the numbers of messages of something.
type messageCounts [messageNumbers]int64

func (n *messageCounts) set(s *broker.MessageStats) {
	n[nPublish], n[nConfirm] = int64(s.Publish), int64(s.Confirm)
	n[nReturnUnroutable] = int64(s.ReturnUnroutable)
	n[nDropUnroutable] = int64(s.DropUnroutable)
	n[nPublishIn], n[nPublishOut] = int64(s.PublishIn), int64(s.PublishOut)
	n[nDeliver], n[nDeliverNoAck] = int64(s.Deliver), int64(s.DeliverNoAck)
	n[nGet], n[nGetNoAck], n[nGetEmpty] = int64(s.Get), int64(s.GetNoAck), int64(s.GetEmpty)
	n[nRedeliver], n[nAck] = int64(s.Redeliver), int64(s.Ack)
}

func (n *messageCounts) add(o *messageCounts) {
	for i := range n {
		n[i] += o[i]
	}
}

// ofQueue are the numbers of a queue.
func ofQueue(s *broker.QueueStats) (n messageCounts) {
	n.set(&s.Messages)
	n[nReady], n[nUnacked] = int64(s.Ready), int64(s.Unacked)
	return n
}

// ofVHost are the numbers of what the exchanges of a vhost let through and its queues have and did.
// What is deleted is not counted any more.
func ofVHost(v *broker.VHost) (n messageCounts) {
	for _, q := range v.AppendQueues(nil) {
		s := q.Counts()
		one := ofQueue(&s)
		one[nPublish] = 0 // the exchanges know
		n.add(&one)
	}
	v.EachExchangeStats(func(_ string, s broker.MessageStats) { n[nPublish] += int64(s.PublishIn) })
	return n
}

// ofStats are the numbers of a connection or channel.
func ofStats(s *broker.MessageStats) (n messageCounts) {
	n.set(s)
	return n
}

// statistic is a field of message_stats: the sum of some numbers.
type statistic struct {
	name string
	of   []int
}

// The statistics of message_stats, by what has them.
func publishing() []statistic {
	return []statistic{
		{"confirm", []int{nConfirm}}, {"drop_unroutable", []int{nDropUnroutable}},
		{"publish", []int{nPublish}}, {"return_unroutable", []int{nReturnUnroutable}},
	}
}

func delivering() []statistic {
	return []statistic{
		{"ack", []int{nAck}}, {"deliver", []int{nDeliver}},
		{"deliver_get", []int{nDeliver, nDeliverNoAck, nGet, nGetNoAck}},
		{"deliver_no_ack", []int{nDeliverNoAck}}, {"get", []int{nGet}},
		{"get_empty", []int{nGetEmpty}}, {"get_no_ack", []int{nGetNoAck}},
		{"redeliver", []int{nRedeliver}},
	}
}

func publishedToQueue() []statistic { return []statistic{{"publish", []int{nPublish}}} }

func throughExchange() []statistic {
	return []statistic{{"publish_in", []int{nPublishIn}}, {"publish_out", []int{nPublishOut}}}
}

// lengths are the statistics of how full a queue is.
func lengths() []statistic {
	return []statistic{
		{"messages", []int{nReady, nUnacked}}, {"messages_ready", []int{nReady}},
		{"messages_unacknowledged", []int{nUnacked}},
	}
}

// moved reports whether any number of some statistics is not 0.
func moved(statistics []statistic, numbers []int64) bool {
	for i := range statistics {
		for _, of := range statistics[i].of {
			if numbers[of] != 0 {
				return true
			}
		}
	}
	return false
}

// figures are numbers of one object as they are now, how fast each moves, and what each was at
// the times of the windows that are asked for.
type figures struct {
	numbers []int64
	rates   []float64
	// samples are by the window's times, then numbers; nil without a window.
	window  *window
	samples [][]int64
}

// statistics writes fields with their rates, samples among them.
func (w *writer) statistics(list []statistic, f *figures) {
	for i := range list {
		s := &list[i]
		total, rate := int64(0), 0.0
		for _, of := range s.of {
			total += f.numbers[of]
			if f.rates != nil {
				rate += f.rates[of]
			}
		}
		w.int(s.name, total)
		if f.rates == nil || w.want != nil && !w.wants(s.name+"_details") {
			continue
		}
		var samples []int64
		for _, numbers := range f.samples {
			sum := int64(0)
			for _, of := range s.of {
				sum += numbers[of]
			}
			samples = append(samples, sum)
		}
		w.details(s.name, rate, f.window, samples)
	}
}

// messageStats writes message_stats with those groups of statistics that have moved; nothing when
// none has.
func (w *writer) messageStats(f *figures, groups ...[]statistic) {
	any := false
	for _, g := range groups {
		any = any || moved(g, f.numbers)
	}
	if !any || !w.begin("message_stats") {
		return
	}
	for _, g := range groups {
		if moved(g, f.numbers) {
			w.statistics(g, f)
		}
	}
	w.end()
}
