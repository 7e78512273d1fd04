// Package metrics tells Prometheus how a node does, in the names and labels of RabbitMQ's plug-in,
// so that its dashboards and alerts work, and in names of its own, which begin with warren_.
//
// Floor 6, a door. Nothing is counted here: a scrape reads the counters of the broker and of what
// other doors show. Sums over all objects cost little whatever their number; each object by itself
// is there for who asks, bounded by objectsMax.
//
//	http.Handle("/", metrics.New(metrics.Options{Broker: manager, Node: node, ...}))
//
// The format is Prometheus's text format, version 0.0.4. Families and labels were compared with
// those of RabbitMQ 3.10.8 and the dashboards published for 4.x.
package metrics

import (
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/store"
)

// Options say what a Handler reads. All functions are required, and may be called at any time.
type Options struct {
	// Broker is the queue manager.
	Broker *broker.Manager
	// Connections returns the connections that the doors have open.
	Connections func() []broker.Connection
	// Channels returns their channels.
	Channels func() []broker.Channel
	// Node returns a moment of the node.
	Node func() Node
	// Store returns a moment of the files.
	Store func() store.Stats
	// Logins returns how often somebody logged in to the HTTP API.
	Logins func() broker.Logins
	// Path is where metrics are; "" means /metrics.
	Path string
	// PerObject has Path tell of each object, not sums.
	PerObject bool
}

// Node is a moment of the node.
type Node struct {
	// Name and ClusterName are how the node is called; ClusterID tells its data directory from all
	// others.
	Name, ClusterName, ClusterID string
	// Version is warren's, CompatibleVersion that of RabbitMQ that clients may expect.
	Version, CompatibleVersion string
	Started                    time.Time
	FDUsed, FDTotal            int
	SocketsUsed, SocketsTotal  int
	Resident                   uint64 // bytes
	MemoryLimit                uint64 // of the memory alarm
	DiskFree, DiskLimit        uint64
	Alarms                     broker.Alarm
}

// Handler answers scrapes. It is safe for concurrent use.
type Handler struct {
	o   Options
	mux http.ServeMux
}

// New returns a handler.
func New(o Options) *Handler {
	if o.Path == "" {
		o.Path = "/metrics"
	}
	h := &Handler{o: o}
	h.mux.HandleFunc("GET "+o.Path, func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, h.o.PerObject)
	})
	h.mux.HandleFunc("GET "+o.Path+"/per-object", func(w http.ResponseWriter, _ *http.Request) {
		h.answer(w, true)
	})
	h.mux.HandleFunc("GET "+o.Path+"/detailed", h.detailed)
	h.mux.HandleFunc("GET "+o.Path+"/memory-breakdown", h.memoryBreakdown)
	return h
}

// ServeHTTP answers a scrape.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

const (
	// objectsMax bounds how many objects of a kind are told one by one. What is left out is
	// counted in warren_metrics_objects_left_out.
	objectsMax = 100_000

	contentType = "text/plain; version=0.0.4; charset=utf-8"
)

// The prefixes of names.
const (
	rabbitmq = "rabbitmq_"
	detailed = "rabbitmq_detailed_"
	cluster  = "rabbitmq_cluster_"
	warren   = "warren_"
)

// answer writes all there is, as sums or object by object.
func (h *Handler) answer(w http.ResponseWriter, perObject bool) {
	w.Header().Set("Content-Type", contentType)
	endpoint := "aggregated"
	if perObject {
		endpoint = "per-object"
	}
	p := newPage(w, rabbitmq)
	defer p.end()
	n := h.o.Node()
	identity(p, &n, endpoint)
	alarms(p, n.Alarms)
	h.churn(p)
	nodeFamilies(p, &n)
	h.logins(p)
	h.globals(p)
	s := &scrape{h: h, page: p, perObject: perObject}
	s.queues()
	s.channels()
	s.connections()
	s.totals()
	p.prefix = warren
	h.own(p, s.leftOut)
}

// detailedFamilies are what the families of /metrics/detailed write, by RabbitMQ's names.
func detailedFamilies() map[string]func(*scrape) {
	return map[string]func(*scrape){
		"queue_coarse_metrics":     func(s *scrape) { s.queueFamily(queueCoarse()) },
		"queue_consumer_count":     func(s *scrape) { s.queueFamily(queueConsumers()) },
		"queue_metrics":            func(s *scrape) { s.queueFamily(queueMore()) },
		"queue_delivery_metrics":   func(s *scrape) { s.queueFamily(queueDeliveries()) },
		"channel_metrics":          func(s *scrape) { s.channelFamily(channelState()) },
		"channel_exchange_metrics": func(s *scrape) { s.channelFamily(channelPublishes()) },
		"channel_queue_metrics":    func(s *scrape) { s.channelFamily(channelDeliveries()) },
		"channel_queue_exchange_metrics": func(s *scrape) {
			s.queueFamily(queuePublishes())
		},
		"channel_process_metrics": func(*scrape) {}, // there are no processes
		"connection_coarse_metrics": func(s *scrape) {
			s.connectionFamily(connectionCoarse())
		},
		"connection_metrics":       func(s *scrape) { s.connectionFamily(connectionMore()) },
		"connection_churn_metrics": func(s *scrape) { s.h.churn(s.page) },
		"node_coarse_metrics":      (*scrape).node,
		"node_metrics":             (*scrape).node,
		"node_persister_metrics":   func(*scrape) {},
		"ra_metrics":               func(*scrape) {},
		"auth_attempt_metrics":     func(s *scrape) { s.h.logins(s.page) },
		"auth_attempt_detailed_metrics": func(s *scrape) {
			s.h.logins(s.page)
		},
		"alarm_metrics":    func(s *scrape) { alarms(s.page, s.h.o.Node().Alarms) },
		"exchange_metrics": (*scrape).exchanges,
		"vhost_status":     (*scrape).vhosts,
		"exchange_names":   (*scrape).exchangeNames,
		"exchange_bindings": func(s *scrape) {
			s.exchangeBindings()
		},
	}
}

// detailed writes the families that are asked for, of the vhosts and queues that are.
func (h *Handler) detailed(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	s := &scrape{h: h, perObject: true, only: query["vhost"]}
	if pattern := query.Get("queue"); pattern != "" {
		var err error
		if s.named, err = regexp.Compile(pattern); err != nil {
			http.Error(w, "queue: "+err.Error(), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", contentType)
	p := newPage(w, rabbitmq)
	defer p.end()
	n := h.o.Node()
	identity(p, &n, "detailed")
	s.page = p
	known := detailedFamilies()
	var done []string
	for _, family := range query["family"] {
		write := known[family]
		if write == nil || slices.Contains(done, family) {
			continue
		}
		if done = append(done, family); family == "node_metrics" &&
			slices.Contains(done, "node_coarse_metrics") {
			continue // they are together here
		}
		p.prefix = detailed
		if family == "vhost_status" || family == "exchange_names" || family == "exchange_bindings" {
			p.prefix = cluster
		}
		write(s)
	}
}
