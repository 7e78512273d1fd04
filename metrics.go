package warren

import (
	"context"
	"net"
	"strconv"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/management"
	"github.com/warrenmq/warren/internal/metrics"
)

// MetricsAddr returns the address metrics are served on; nil when they are not.
func (n *Node) MetricsAddr() net.Addr { return n.metricsAddr }

// metricsHandler answers scrapes.
func (n *Node) metricsHandler(a *application) *metrics.Handler {
	return metrics.New(metrics.Options{
		Broker: a.broker, Connections: a.door.Connections, Channels: a.door.Channels,
		Store: a.store.Stats, Logins: a.api.Logins, Path: n.options.Metrics.Path,
		PerObject: n.options.Metrics.PerObject,
		Node: func() metrics.Node {
			i := n.info(a)
			return metrics.Node{
				Name: i.Name, ClusterName: i.ClusterName, ClusterID: a.clusterID(),
				Version: Version, CompatibleVersion: management.DefaultCompatibleVersion,
				Started: i.Started, FDUsed: i.FDUsed, FDTotal: i.FDTotal,
				SocketsUsed: i.SocketsUsed, SocketsTotal: i.SocketsTotal,
				Resident: i.MemoryUsed, MemoryLimit: i.MemoryLimit,
				DiskFree: i.DiskFree, DiskLimit: i.DiskLimit, Alarms: a.broker.Alarms(),
			}
		},
	})
}

// listenMetrics opens all addresses that metrics are served on, if there are any.
func (a *application) listenMetrics(ctx context.Context, n *Node) error {
	m := &n.options.Metrics
	if m.Listen == "" && len(m.TLS.Listen) == 0 {
		return nil
	}
	h := management.Probes(n.condition, n.metricsHandler(a))
	a.metrics = &webServer{server: a.api.Server(h)}
	return a.serveWeb(ctx, &n.options, a.metrics, webAddresses{
		"metrics", m.Listen, m.Optional, protocolMetricsTLS, &m.TLS,
	})
}

// clusterIDName is the global parameter that tells a data directory from all others; its name is
// RabbitMQ's.
const clusterIDName = "internal_cluster_id"

// clusterID returns what tells the data directory from all others, and makes it when it is asked
// for the first time.
func (a *application) clusterID() string {
	p, ok := a.broker.GlobalParameter(clusterIDName)
	if !ok {
		id := broker.GeneratedName("rabbitmq-cluster-id-")
		p = definition.Parameter{Name: clusterIDName, Value: strconv.Quote(id)}
		if _, err := a.broker.PutGlobalParameter(p); err != nil {
			return ""
		}
	}
	id, err := strconv.Unquote(p.Value)
	if err != nil {
		return ""
	}
	return id
}
