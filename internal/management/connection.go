package management

import (
	"github.com/warrenmq/warren/internal/broker"
)

func connectionReadRoutes() []route {
	const text = "Connections, with how much goes through them"
	return []route{
		{method: "GET", path: "/api/connections", needs: managers, do: listConnections,
			text: text},
		{method: "GET", path: "/api/connections/:connection", needs: managers,
			do: getConnection, text: "One connection"},
		{method: "GET", path: "/api/connections/:connection/channels", needs: managers,
			do: listChannelsOfConnection, text: "Channels of a connection"},
		{method: "GET", path: "/api/connections/username/:username", needs: managers,
			do: listConnectionsOfUser, text: "Connections of a user, in short"},
		{method: "GET", path: "/api/vhosts/:vhost/connections", needs: managers,
			do: listConnections, text: "Connections of a vhost"},
	}
}

// sees reports whether the user may see what belongs to another: monitors all, others their own.
func (q *request) sees(owner string) bool { return q.user.is(monitors) || q.user.name == owner }

// connections are those the user may see, of the vhost of the path if it has one, and keep.
func (q *request) connections(keep func(c *broker.Connection) bool) ([]broker.Connection, error) {
	vhost, one := q.lookup("vhost")
	if one && q.h.o.Broker.VHost(vhost) == nil {
		return nil, notFound()
	}
	var list []broker.Connection
	all := q.h.o.Connections()
	for i := range all {
		c := &all[i]
		if q.sees(c.User) && (!one || c.VHost == vhost) && (keep == nil || keep(c)) {
			list = append(list, *c)
		}
	}
	return list, nil
}

func listConnections(q *request) error {
	v, err := q.view()
	if err != nil {
		return err
	}
	list, err := q.connections(nil)
	if err != nil {
		return err
	}
	return show(q, &listing[broker.Connection]{
		items: list, paged: true,
		name:  func(c *broker.Connection) string { return c.Name },
		place: func(c *broker.Connection) (string, string) { return c.VHost, c.Name },
		write: v.connection,
	})
}

func listConnectionsOfUser(q *request) error {
	name := q.param("username")
	if !q.sees(name) {
		return notAuthorized("User not authorised to access object")
	}
	list, err := q.connections(func(c *broker.Connection) bool { return c.User == name })
	if err != nil {
		return err
	}
	node := q.h.o.Node().Name
	return show(q, &listing[broker.Connection]{
		items: list,
		place: func(c *broker.Connection) (string, string) { return c.VHost, c.Name },
		write: func(w *writer, c *broker.Connection) {
			w.text("name", c.Name)
			w.text("vhost", c.VHost)
			w.text("user", c.User)
			w.text("node", node)
		},
	})
}

// connection is the one that the path names, if the user may see it.
func (q *request) connection() (*broker.Connection, error) {
	all := q.h.o.Connections()
	for i := range all {
		c := &all[i]
		if c.Name != q.param("connection") {
			continue
		}
		if !q.sees(c.User) {
			return nil, notAuthorized("User not authorised to access object")
		}
		return c, nil
	}
	return nil, notFound()
}

func getConnection(q *request) error {
	c, err := q.connection()
	if err != nil {
		return err
	}
	v, err := q.view()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) { v.connection(w, c) })
}

func (v *view) connection(w *writer, c *broker.Connection) {
	w.text("name", c.Name)
	w.text("pid", broker.PID(v.node, c.ID)) // for the command line; RabbitMQ's API keeps it back
	w.text("node", v.node)
	w.text("user", c.User)
	w.text("user_who_performed_action", c.User)
	w.text("vhost", c.VHost)
	w.text("protocol", c.Protocol)
	w.text("type", "network")
	w.text("state", string(c.Flow.State))
	if c.Flow.Reason != "" {
		w.text("state_reason", c.Flow.Reason)
	}
	w.text("host", c.Host)
	w.int("port", int64(c.Port))
	w.text("peer_host", c.PeerHost)
	w.int("peer_port", int64(c.PeerPort))
	w.text("auth_mechanism", c.Mechanism)
	w.int("channels", int64(c.Channels))
	w.int("channel_max", int64(c.ChannelMax))
	w.int("frame_max", int64(c.FrameMax))
	w.int("timeout", int64(c.Heartbeat.Seconds()))
	w.int("connected_at", c.ConnectedAt.UnixMilli())
	w.table("client_properties", c.ClientProperties)
	if name, ok := c.ClientProperties.Lookup("connection_name"); ok {
		if text, ok := name.Text(); ok {
			w.text("user_provided_name", string(text))
		}
	}
	writeTLS(w, c.TLS)
	if !v.off {
		v.connectionTraffic(w, c)
	}
}

func writeTLS(w *writer, s *broker.TLSState) {
	w.flag("ssl", s != nil)
	if s == nil {
		s = new(broker.TLSState)
	}
	w.textOrNull("ssl_protocol", s.Version)
	w.textOrNull("ssl_cipher", s.Cipher)
	w.null("ssl_key_exchange")
	w.null("ssl_hash")
	w.textOrNull("peer_cert_subject", s.PeerSubject)
	w.textOrNull("peer_cert_issuer", s.PeerIssuer)
	w.textOrNull("peer_cert_validity", s.PeerValidity)
}

func (v *view) connectionTraffic(w *writer, c *broker.Connection) {
	n := ofConnection(c)
	f := figures{numbers: n[:]}
	if w.wants("recv_oct_details") || w.wants("send_oct_details") ||
		w.wants("reductions_details") {
		f = figuresOf(v.h.sampler.connections, c.ID, v.now, n[:], v.data)
	}
	w.statistics(bytesThrough(), &f)
	w.int("recv_cnt", int64(c.Reads))
	w.int("send_cnt", int64(c.Writes))
	w.int("send_pend", int64(c.Pending))
	process(w, &f)
}

// process writes what monitors of RabbitMQ look for about an Erlang process, with samples like f.
func process(w *writer, f *figures) {
	w.statistics([]statistic{{"reductions", nil}}, f)
	w.raw("garbage_collection", garbageCollection)
}

// garbageCollection is what clients parse of an Erlang process; there is none.
const garbageCollection = `{"fullsweep_after":65535,"max_heap_size":0,"min_bin_vheap_size":46422,` +
	`"min_heap_size":233,"minor_gcs":0}`
