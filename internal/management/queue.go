package management

import (
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

func queueReadRoutes() []route {
	const text = "Queues, with what is in them and how fast they go"
	return []route{
		{method: "GET", path: "/api/queues", needs: managers, do: listQueues, text: text},
		{method: "GET", path: "/api/queues/detailed", needs: managers, do: listQueues, text: text},
		{method: "GET", path: "/api/queues/:vhost", needs: managers, do: listQueues,
			text: text},
		{method: "GET", path: "/api/queues/:vhost/:queue", needs: managers, do: getQueue,
			text: "One queue, with its consumers"},
	}
}

// view is what an answer shows of statistics.
type view struct {
	h   *Handler
	now time.Time
	windows
	node string
	// off: no statistics; totals: queues say nevertheless how many messages they have. uncounted:
	// nothing is said of how messages move.
	off, totals, uncounted bool
	owners                 map[uint64]*broker.Connection // see owner
}

func (q *request) view() (*view, error) {
	now := time.Now()
	w, err := q.windows(now)
	if err != nil {
		return nil, err
	}
	return &view{
		h: q.h, now: now, windows: w, node: q.h.o.Node().Name,
		off:    q.h.sampler == nil || q.flag("disable_stats"),
		totals: q.h.o.QueueTotals || q.flag("enable_queue_totals"),

		uncounted: q.h.o.RatesMode == RatesNone,
	}, nil
}

func listQueues(q *request) error {
	vhosts, err := q.chosen()
	if err != nil {
		return err
	}
	v, err := q.view()
	if err != nil {
		return err
	}
	l := listing[*broker.Queue]{
		paged: true, sorted: true,
		name: func(item **broker.Queue) string { return (*item).Name() },
		place: func(item **broker.Queue) (string, string) {
			return (*item).VHostName(), (*item).Name()
		},
		write: func(w *writer, item **broker.Queue) { v.queue(w, *item) },
	}
	for _, vhost := range vhosts {
		l.items = append(l.items, vhost.SortedQueues()...)
	}
	return show(q, &l)
}

func getQueue(q *request) error {
	vhost, err := q.vhost()
	if err != nil {
		return err
	}
	queue := vhost.Queue(q.param("queue"))
	if queue == nil {
		return notFound()
	}
	v, err := q.view()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) {
		v.queue(w, queue)
		if v.off {
			return
		}
		v.consumersOf(w, queue)
		w.raw("deliveries", "[]")
		w.raw("incoming", "[]")
	})
}

// queue writes what there is to say about a queue.
func (v *view) queue(w *writer, q *broker.Queue) {
	d := q.Definition
	w.text("name", d.Name)
	w.text("vhost", q.VHostName())
	w.text("type", d.Type)
	w.flag("durable", d.Durable)
	w.flag("auto_delete", d.AutoDelete)
	w.flag("exclusive", d.Exclusive)
	w.table("arguments", d.Arguments)
	w.text("node", v.node)
	v.replicas(w, q)
	if v.off {
		v.queueInShort(w, q)
		return
	}
	v.queuePolicies(w, q)
	v.queueState(w, q)
	s := q.Stats()
	v.queueLengths(w, q, &s)
	v.queueBytes(w, q, &s)
	v.queueOwner(w, q)
	w.int("consumers", int64(s.Consumers))
	w.real("consumer_utilisation", s.ConsumerCapacity)
	w.real("consumer_capacity", s.ConsumerCapacity)
	if w.wants("idle_since") && !s.IdleSince.IsZero() && v.now.Sub(s.IdleSince) >= idleMin {
		w.text("idle_since", idleSince(s.IdleSince))
	}
	w.int("reductions", 0)
	w.raw("reductions_details", `{"rate":0.0}`)
	w.raw("garbage_collection", garbageCollection)
}

// queueInShort writes what is left to say about a queue without statistics.
func (v *view) queueInShort(w *writer, q *broker.Queue) {
	if w.wants("policy") {
		if e, _ := q.Effective(); e.Policy != "" {
			w.text("policy", e.Policy)
		}
	}
	if !v.totals {
		w.text("state", "live")
		return
	}
	w.text("state", string(broker.FlowRunning))
	s := q.Stats()
	w.int("messages", int64(s.Ready+s.Unacked))
	w.int("messages_ready", int64(s.Ready))
	w.int("messages_unacknowledged", int64(s.Unacked))
}

// replicas writes where a quorum queue is kept.
func (v *view) replicas(w *writer, q *broker.Queue) {
	if q.Definition.Type != "quorum" {
		return
	}
	w.text("leader", v.node)
	w.texts("members", []string{v.node})
	w.texts("online", []string{v.node})
	if !v.off {
		w.int("messages_dlx", 0)
		w.int("message_bytes_dlx", 0)
		w.null("single_active_consumer_ctag")
		if w.begin("open_files") {
			w.int(v.node, 0)
			w.end()
		}
	}
}

func (v *view) queuePolicies(w *writer, q *broker.Queue) {
	if !w.wants("policy") && !w.wants("operator_policy") &&
		!w.wants("effective_policy_definition") {
		return
	}
	e, _ := q.Effective()
	w.textOrNull("policy", e.Policy)
	w.textOrNull("operator_policy", e.OperatorPolicy)
	if w.wants("effective_policy_definition") {
		w.table("effective_policy_definition", q.EffectivePolicy())
	}
}

// queueState writes whether a queue runs. RabbitMQ has no word for a quarantine: such a queue is
// down.
func (v *view) queueState(w *writer, q *broker.Queue) {
	if !w.wants("state") && !w.wants("reason") {
		return
	}
	switch f := q.Flow(); f.State {
	case broker.FlowQuarantined:
		w.text("state", "down")
		w.text("quarantined", f.Reason)
	case broker.FlowIdle:
		w.text("state", string(broker.FlowRunning))
	default:
		w.text("state", string(f.State))
	}
}

// queueLengths writes how many messages are in a queue, and how they move.
func (v *view) queueLengths(w *writer, q *broker.Queue, s *broker.QueueStats) {
	n := ofQueue(s)
	f := figures{numbers: n[:]}
	detailed := w.wants("message_stats") || w.wants("messages_details") ||
		w.wants("messages_ready_details") || w.wants("messages_unacknowledged_details") ||
		w.wants("backing_queue_status")
	if !detailed {
		w.statistics(lengths(), &f)
		return
	}
	queues := v.h.sampler.queues
	f.rates = queues.rates(make([]float64, 0, messageNumbers), q, v.now, n[:])
	if w.found == nil { // nobody sorts by samples
		f.addSamples(v.lengths, func() [][]int64 { return samplesOf(queues, q, v.lengths) })
	}
	w.statistics(lengths(), &f)
	backing(w, q, &f)
	if !moved(publishedToQueue(), n[:]) && !moved(delivering(), n[:]) || v.uncounted ||
		!w.begin("message_stats") {
		return
	}
	f.window, f.samples = nil, nil
	if w.found == nil {
		f.addSamples(v.messages, func() [][]int64 { return samplesOf(queues, q, v.messages) })
	}
	w.statistics(delivering(), &f)
	w.statistics(publishedToQueue(), &f)
	w.end()
}

// backing writes what clients parse of how RabbitMQ keeps a classic queue, as far as it says
// something here.
func backing(w *writer, q *broker.Queue, f *figures) {
	if q.Definition.Type == "quorum" || !w.begin("backing_queue_status") {
		return
	}
	defer w.end()
	given := f.rates[nDeliver] + f.rates[nGet]
	w.real("avg_ingress_rate", f.rates[nPublish])
	w.real("avg_egress_rate", given+f.rates[nDeliverNoAck]+f.rates[nGetNoAck])
	w.real("avg_ack_ingress_rate", given)
	w.real("avg_ack_egress_rate", f.rates[nAck])
	w.int("len", f.numbers[nReady])
	w.text("mode", "default")
	w.int("next_seq_id", f.numbers[nPublish])
	w.int("next_deliver_seq_id", f.numbers[nPublish]-min(f.numbers[nReady], f.numbers[nPublish]))
	w.int("q1", 0)
	w.int("q2", 0)
	w.raw("delta", `["delta","undefined",0,0,"undefined"]`)
	w.int("q3", 0)
	w.int("q4", f.numbers[nReady])
	w.text("target_ram_count", "infinity")
	w.int("version", 2)
}

// queueBytes writes how large the messages of a queue are, and where they are.
func (v *view) queueBytes(w *writer, q *broker.Queue, s *broker.QueueStats) {
	messages, persistent, persistentBytes := s.Ready+s.Unacked, 0, 0
	if q.Definition.Durable && !q.Definition.Exclusive { // as nearly all are there
		persistent, persistentBytes = messages, s.Bytes
	}
	w.int("message_bytes", int64(s.Bytes))
	w.int("message_bytes_ready", int64(s.ReadyBytes))
	w.int("message_bytes_unacknowledged", int64(s.UnackedBytes))
	w.int("message_bytes_ram", int64(s.InMemoryBytes))
	w.int("message_bytes_persistent", int64(persistentBytes))
	w.int("messages_ram", int64(s.InMemory))
	w.int("messages_persistent", int64(persistent))
	w.int("memory", int64(s.InMemoryBytes+s.InMemory*messageMemory))
	if q.Definition.Type == "quorum" {
		return // RabbitMQ does not say the rest of these
	}
	w.int("message_bytes_paged_out", int64(s.Bytes-s.InMemoryBytes))
	w.int("messages_ready_ram", int64(s.ReadyInMemory))
	w.int("messages_unacknowledged_ram", int64(s.InMemory-s.ReadyInMemory))
	w.int("messages_paged_out", int64(messages-s.InMemory))
	if s.HeadTimestamp == 0 {
		w.null("head_message_timestamp")
	} else {
		w.int("head_message_timestamp", int64(s.HeadTimestamp))
	}
}

// messageMemory is about what a message in memory takes besides its bytes.
const messageMemory = 64

// idleMin is how long nothing has happened in what is idle.
const idleMin = 10 * time.Second

// queueOwner writes whose an exclusive queue is, and which consumer has it alone.
func (v *view) queueOwner(w *writer, q *broker.Queue) {
	if q.Definition.Type != "quorum" {
		w.null("exclusive_consumer_tag")
		w.null("single_active_consumer_tag")
		w.null("recoverable_slaves")
	}
	if !q.Definition.Exclusive || !w.begin("owner_pid_details") {
		return
	}
	defer w.end()
	if c := v.owner(q.Definition.Owner); c != nil {
		w.text("name", c.Name)
		w.text("pid", broker.PID(v.node, c.ID))
		w.text("peer_host", c.PeerHost)
		w.int("peer_port", int64(c.PeerPort))
	}
}

// owner returns the connection that exclusive queues of that owner belong to, nil if it is gone.
func (v *view) owner(id uint64) *broker.Connection {
	if v.owners == nil {
		all := v.h.o.Connections()
		v.owners = make(map[uint64]*broker.Connection, len(all))
		for i := range all {
			v.owners[all[i].Owner] = &all[i]
		}
	}
	return v.owners[id]
}

// consumersOf writes the consumers of a queue.
func (v *view) consumersOf(w *writer, q *broker.Queue) {
	v.consumers(w, func(s *broker.Subscription) bool {
		return s.Queue == q.Name() && s.VHost == q.VHostName()
	})
}

// idleSince is a time as RabbitMQ writes it here.
func idleSince(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-07:00") }
