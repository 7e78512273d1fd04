package management

import (
	"runtime"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

// readRoutes are the paths that show what there is and what it does.
func readRoutes() []route {
	return slices.Concat(
		overviewRoutes(), queueReadRoutes(), exchangeReadRoutes(), bindingReadRoutes(),
		connectionReadRoutes(), channelReadRoutes(), consumerReadRoutes(), nodeReadRoutes(),
	)
}

func overviewRoutes() []route {
	return []route{
		{method: "GET", path: "/api/overview", needs: managers, do: getOverview,
			text: "What the node is and does"},
	}
}

// erlangVersion is told to those who look for one: dashboards show it.
const erlangVersion = "26.2"

func getOverview(q *request) error {
	v, err := q.view()
	if err != nil {
		return err
	}
	o, node := &q.h.o, q.h.o.Node()
	return q.showOne(func(w *writer) {
		w.text("management_version", o.CompatibleVersion)
		w.text("rates_mode", string(o.RatesMode))
		w.raw("sample_retention_policies", `{"global":[600,3600,28800,86400],`+
			`"basic":[600,3600],"detailed":[600]}`)
		q.h.exchangeTypes(w)
		w.text("product_name", "Warren")
		w.text("product_version", o.Version)
		w.text("rabbitmq_version", o.CompatibleVersion)
		w.text("cluster_name", node.ClusterName)
		w.raw("cluster_tags", "[]")
		w.raw("node_tags", "[]")
		w.text("erlang_version", erlangVersion)
		w.text("erlang_full_version", "none: Warren is a Go program, "+runtime.Version())
		w.text("release_series_support_status", "supported")
		w.flag("disable_stats", v.off)
		w.flag("is_op_policy_updating_enabled", true)
		w.flag("enable_queue_totals", v.totals)
		w.text("node", node.Name)
		v.totalsOf(w, q, &node)
		if q.user.is(monitors) {
			v.listeners(w, &node)
			v.contexts(w, &node, true)
		}
	})
}

// totalsOf writes what all vhosts that the user may see do together.
func (v *view) totalsOf(w *writer, q *request, node *NodeInfo) {
	vhosts := q.h.o.Broker.VHosts()
	if !q.user.is(monitors) {
		vhosts = q.vhosts()
	}
	if !v.off {
		f := v.overall(vhosts)
		if q.user.is(monitors) {
			v.everything(&f)
		}
		if !v.uncounted && w.begin("message_stats") {
			for _, g := range [][]statistic{publishing(), delivering(), throughDisk()} {
				w.statistics(g, f.messages)
			}
			w.end()
		}
		if w.begin("queue_totals") {
			w.statistics(lengths(), f.lengths)
			w.end()
		}
		if q.user.is(monitors) && w.begin("churn_rates") {
			numbers := v.h.numbersOf(node)
			f := figuresOf(v.h.sampler.node, struct{}{}, v.now, numbers[:], v.messages)
			w.statistics(churnStatistics(), &f)
			w.end()
		}
		w.int("statistics_db_event_queue", 0)
	}
	v.objects(w, q, vhosts)
}

// throughDisk are statistics that RabbitMQ's overview has as well.
func throughDisk() []statistic {
	return []statistic{{"disk_reads", nil}, {"disk_writes", nil}}
}

// objects writes how many of everything there are.
func (v *view) objects(w *writer, q *request, vhosts []*broker.VHost) {
	if !w.begin("object_totals") {
		return
	}
	defer w.end()
	seen := make(map[string]bool, len(vhosts))
	exchanges, queues := 0, 0
	for _, vhost := range vhosts {
		seen[vhost.Name()] = true
		exchanges += vhost.ExchangeCount()
		queues += vhost.QueueCount()
	}
	connections, channels, consumers := 0, 0, 0
	all := q.h.o.Connections()
	for i := range all {
		if q.sees(all[i].User) {
			connections++
			channels += all[i].Channels
		}
	}
	for _, s := range q.h.o.Subscriptions() {
		if seen[s.VHost] && q.sees(s.User) {
			consumers++
		}
	}
	w.int("channels", int64(channels))
	w.int("connections", int64(connections))
	w.int("consumers", int64(consumers))
	w.int("exchanges", int64(exchanges))
	w.int("queues", int64(queues))
}

func (v *view) listeners(w *writer, n *NodeInfo) {
	w.list("listeners", func(one func(write func())) {
		list := slices.Clone(n.Listeners)
		slices.SortStableFunc(list, func(a, b Listener) int {
			return strings.Compare(a.Protocol, b.Protocol)
		})
		for _, l := range list {
			one(func() {
				w.text("node", n.Name)
				w.text("protocol", l.Protocol)
				w.text("ip_address", l.IP)
				w.int("port", int64(l.Port))
				w.flag("tls", l.TLS)
				w.raw("socket_opts", `{"backlog":128,"nodelay":true,"exit_on_close":false}`)
			})
		}
	})
}
