package management

import "github.com/warrenmq/warren/internal/broker"

func channelReadRoutes() []route {
	const text = "Channels, with how much goes through them"
	return []route{
		{method: "GET", path: "/api/channels", needs: managers, do: listChannels, text: text},
		{method: "GET", path: "/api/channels/:channel", needs: managers, do: getChannel,
			text: "One channel, with its consumers"},
		{method: "GET", path: "/api/vhosts/:vhost/channels", needs: managers, do: listChannels,
			text: "Channels of a vhost"},
	}
}

func listChannels(q *request) error {
	vhost, one := q.lookup("vhost")
	if one && q.h.o.Broker.VHost(vhost) == nil {
		return notFound()
	}
	return q.showChannels(func(c *broker.Channel) bool {
		return q.sees(c.User) && (!one || c.VHost == vhost)
	})
}

func listChannelsOfConnection(q *request) error {
	of, err := q.connection()
	if err != nil {
		return err
	}
	return q.showChannels(func(c *broker.Channel) bool { return c.ConnectionID == of.ID })
}

func (q *request) showChannels(keep func(c *broker.Channel) bool) error {
	v, err := q.view()
	if err != nil {
		return err
	}
	l := listing[broker.Channel]{
		paged: true,
		name:  (*broker.Channel).Name,
		place: func(c *broker.Channel) (string, string) { return c.VHost, c.Name() },
		write: v.channel,
	}
	all := q.h.o.Channels()
	for i := range all {
		if keep(&all[i]) {
			l.items = append(l.items, all[i])
		}
	}
	return show(q, &l)
}

func getChannel(q *request) error {
	all := q.h.o.Channels()
	for i := range all {
		c := &all[i]
		if c.Name() != q.param("channel") {
			continue
		}
		if !q.sees(c.User) {
			return notAuthorized("User not authorised to access object")
		}
		v, err := q.view()
		if err != nil {
			return err
		}
		return q.showOne(func(w *writer) {
			v.channel(w, c)
			if !v.off {
				v.consumers(w, func(s *broker.Subscription) bool { return s.ChannelID == c.ID })
				v.dealings(w, "publishes", "exchange", c.VHost, c.Publishes)
				v.dealings(w, "deliveries", "queue", c.VHost, c.Deliveries)
			}
		})
	}
	return notFound()
}

func (v *view) channel(w *writer, c *broker.Channel) {
	w.text("name", c.Name())
	w.text("pid", broker.PID(v.node, c.ID))
	w.int("number", int64(c.Number))
	w.text("node", v.node)
	w.text("user", c.User)
	w.text("user_who_performed_action", c.User)
	w.text("vhost", c.VHost)
	if w.begin("connection_details") {
		w.text("name", c.Connection)
		w.text("pid", broker.PID(v.node, c.ConnectionID))
		w.text("peer_host", c.PeerHost)
		w.int("peer_port", int64(c.PeerPort))
		w.end()
	}
	w.text("state", string(c.Flow.State))
	w.flag("transactional", c.Transactional)
	w.flag("confirm", c.Confirm)
	w.int("consumer_count", int64(c.Consumers))
	w.int("messages_unacknowledged", int64(c.Unacked))
	w.int("messages_unconfirmed", int64(c.Unconfirmed))
	w.int("messages_uncommitted", int64(c.UncommittedMessages))
	w.int("acks_uncommitted", int64(c.UncommittedAcks))
	w.int("prefetch_count", int64(c.Prefetch))
	w.int("global_prefetch_count", int64(c.GlobalPrefetch))
	w.int("pending_raft_commands", 0)
	if w.wants("idle_since") && !c.IdleSince.IsZero() {
		w.text("idle_since", idleSince(c.IdleSince))
	}
	if v.off {
		return
	}
	n := ofStats(&c.Stats)
	f := figures{numbers: n[:]}
	if w.wants("message_stats") || w.wants("reductions_details") {
		f = figuresOf(v.h.sampler.channels, c.ID, v.now, n[:], v.messages)
	}
	if !v.uncounted {
		w.messageStats(&f, publishing(), delivering())
	}
	process(w, &f)
}

// dealings writes what a channel does with exchanges or queues, when rates are detailed.
func (v *view) dealings(w *writer, field, kind, vhost string, list []broker.NamedStats) {
	w.list(field, func(one func(write func())) {
		if v.h.o.RatesMode != RatesDetailed {
			return
		}
		for i := range list {
			one(func() {
				if w.begin(kind) {
					w.text("name", list[i].Name)
					w.text("vhost", vhost)
					w.end()
				}
				if w.begin("stats") {
					n := ofStats(&list[i].Stats)
					f := figures{numbers: n[:]}
					w.statistics(publishing(), &f)
					w.statistics(delivering(), &f)
					w.end()
				}
			})
		}
	})
}
