package management

import "github.com/warrenmq/warren/internal/broker"

func consumerReadRoutes() []route {
	return []route{
		{method: "GET", path: "/api/consumers", needs: managers, do: listConsumers,
			text: "Consumers"},
		{method: "GET", path: "/api/consumers/:vhost", needs: managers, do: listConsumers,
			visible: true, text: "Consumers of a vhost"},
	}
}

func listConsumers(q *request) error {
	vhost, one := q.lookup("vhost")
	if one && q.h.o.Broker.VHost(vhost) == nil {
		return notFound()
	}
	v := view{h: q.h, node: q.h.o.Node().Name}
	l := listing[broker.Subscription]{
		place: func(s *broker.Subscription) (string, string) { return s.VHost, s.Queue },
		write: v.consumer,
	}
	all := q.h.o.Subscriptions()
	for i := range all {
		if q.sees(all[i].User) && (!one || all[i].VHost == vhost) {
			l.items = append(l.items, all[i])
		}
	}
	return show(q, &l)
}

// consumers writes consumer_details of those consumers that of chooses.
func (v *view) consumers(w *writer, of func(s *broker.Subscription) bool) {
	if !w.wants("consumer_details") {
		return
	}
	all := v.h.o.Subscriptions()
	w.list("consumer_details", func(one func(write func())) {
		for i := range all {
			if of(&all[i]) {
				one(func() { v.consumer(w, &all[i]) })
			}
		}
	})
}

func (v *view) consumer(w *writer, s *broker.Subscription) {
	w.text("consumer_tag", s.Tag)
	if w.begin("queue") {
		w.text("name", s.Queue)
		w.text("vhost", s.VHost)
		w.end()
	}
	if w.begin("channel_details") {
		w.text("connection_name", s.Connection)
		c := broker.Channel{Connection: s.Connection, Number: s.Channel}
		w.text("name", c.Name())
		w.text("pid", broker.PID(v.node, s.ChannelID))
		w.text("node", v.node)
		w.int("number", int64(s.Channel))
		w.text("peer_host", s.PeerHost)
		w.int("peer_port", int64(s.PeerPort))
		w.text("user", s.User)
		w.end()
	}
	w.flag("exclusive", s.Exclusive)
	w.flag("ack_required", s.AckRequired)
	w.int("prefetch_count", int64(s.Prefetch))
	w.flag("active", s.Active)
	w.text("activity_status", s.Activity)
	w.table("arguments", s.Arguments)
}
