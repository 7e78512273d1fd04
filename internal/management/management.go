// Package management is RabbitMQ's HTTP API: what the node is asked and told by operators and
// their programs, in RabbitMQ's paths and JSON.
//
// Floor 6, a door. It stands on the queue manager; what other doors show comes as functions in
// Options. All paths are in one table (see table), which says for each method who may call it
// and what it does: requests are dispatched by it, and documents are made from it. A new path is
// a line there and a function that takes a *request.
//
//	h := management.New(management.Options{Broker: manager, Logger: log, ...})
//	defer h.Close()
//	server := h.Server(h) // or h.Server(h.Operator()), for who is the operator anyway
//	go server.Serve(listener)
package management

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/seldom"
)

// Options says how a Handler is made. Broker and Logger are required.
type Options struct {
	// Broker is the queue manager.
	Broker *broker.Manager
	// Logger takes a line when an answer could not be made.
	Logger *slog.Logger
	// Connections returns the connections of the doors, in any order; nil: none.
	Connections func() []broker.Connection
	// Channels returns the channels of the doors, in any order; nil: none.
	Channels func() []broker.Channel
	// Subscriptions returns the consumers of the doors, in any order; nil: none.
	Subscriptions func() []broker.Subscription
	// Node tells about the node as it is now; nil: nothing is known.
	Node func() NodeInfo
	// Version is warren's; CompatibleVersion the RabbitMQ version that clients may expect, by
	// which some of them switch features on and off.
	Version, CompatibleVersion string
	// BodyMax bounds the body of a request, in bytes; 0: BodyMaxDefault.
	BodyMax int64
	// Interval is the pause between samples of statistics; 0: IntervalDefault.
	Interval time.Duration
	// RatesMode says which rates are kept; empty: RatesBasic.
	RatesMode RatesMode
	// DisableStats: nothing is sampled, and answers have no statistics.
	DisableStats bool
	// QueueTotals: with DisableStats, queues still say how many messages they have.
	QueueTotals bool
	// Controls are what the node itself can be told.
	Controls Controls
	// AllowOrigins are the origins of browsers' pages that may use the API, "*" for all; a page
	// that may is never sent credentials of the browser. Empty: none.
	AllowOrigins []string
}

// RatesMode says which rates are kept, in RabbitMQ's words.
type RatesMode string

// The rates modes.
const (
	// RatesBasic keeps rates of queues, exchanges, connections, channels and the node.
	RatesBasic RatesMode = "basic"
	// RatesDetailed keeps those of channels with queues and exchanges as well, as far as the doors
	// count them.
	RatesDetailed RatesMode = "detailed"
	// RatesNone: nothing is said of how messages move, only how many there are.
	RatesNone RatesMode = "none"
)

const (
	// BodyMaxDefault is RabbitMQ's bound for the body of a request, in bytes.
	BodyMaxDefault = 20_000_000
	// IntervalDefault is RabbitMQ's pause between samples.
	IntervalDefault = 5 * time.Second
	// DefaultCompatibleVersion is the RabbitMQ version that clients may expect.
	DefaultCompatibleVersion = "3.13.7"
)

// NodeInfo is a moment of the node. What is not known is left zero.
type NodeInfo struct {
	// Name is how the node is called, in RabbitMQ's form "name@host"; ClusterName what clients
	// are told.
	Name, ClusterName string
	Started           time.Time
	PID               int
	DataDir           string
	ConfigFiles, Logs []string
	Listeners         []Listener
	// MemoryUsed and MemoryLimit are bytes, the limit that of the memory alarm; FDUsed and
	// SocketsUsed count, with their limits.
	MemoryUsed, MemoryLimit   uint64
	MemoryTotal               uint64
	DiskFree, DiskLimit       uint64
	FDUsed, FDTotal           int
	SocketsUsed, SocketsTotal int
	// Draining: the node takes no new clients.
	Draining bool
}

// Listener is a socket the node serves.
type Listener struct {
	// Protocol is RabbitMQ's word: "amqp", "amqp/ssl", "http", "https", "http/prometheus".
	Protocol, IP string
	Port         int
	TLS          bool
	// NotAfter is when the first of its certificates expires; zero: it has none.
	NotAfter time.Time
}

// Handler serves the API. It is safe for concurrent use. Close it when done.
type Handler struct {
	o       Options
	routes  []route
	router  router
	started time.Time
	origins *http.CrossOriginProtection // nil: all are allowed
	logins  attempts
	sampler *sampler // nil: no statistics
	log     seldom.Log
}

// New returns a handler. It samples statistics from now on.
func New(o Options) *Handler {
	o.withDefaults()
	h := &Handler{o: o, routes: table(), started: time.Now(),
		origins: crossOrigin(o.AllowOrigins, o.Logger)}
	for i := range h.routes {
		h.router.add(&h.routes[i])
	}
	h.identify()
	if !o.DisableStats {
		h.sampler = newSampler(h)
		h.sampler.sample(h.started)
		go h.sampler.run()
	}
	return h
}

// identify gives the node a name that no other has, which it keeps.
func (h *Handler) identify() {
	if _, ok := h.o.Broker.GlobalParameter(internalID); ok {
		return
	}
	_, err := h.o.Broker.PutGlobalParameter(definition.Parameter{
		Name: internalID, Value: `"` + broker.GeneratedName("rabbitmq-cluster-id-") + `"`,
	})
	if err != nil {
		h.o.Logger.Error("management: the node has no identity", "error", err)
	}
}

func (o *Options) withDefaults() {
	if o.BodyMax == 0 {
		o.BodyMax = BodyMaxDefault
	}
	if o.Interval == 0 {
		o.Interval = IntervalDefault
	}
	if o.RatesMode == "" {
		o.RatesMode = RatesBasic
	}
	if o.CompatibleVersion == "" {
		o.CompatibleVersion = DefaultCompatibleVersion
	}
	if o.Connections == nil {
		o.Connections = func() []broker.Connection { return nil }
	}
	if o.Channels == nil {
		o.Channels = func() []broker.Channel { return nil }
	}
	if o.Subscriptions == nil {
		o.Subscriptions = func() []broker.Subscription { return nil }
	}
	if o.Node == nil {
		o.Node = func() NodeInfo { return NodeInfo{} }
	}
}

// Close ends the sampling of statistics. Requests are answered on.
func (h *Handler) Close() {
	if h.sampler != nil {
		h.sampler.close()
	}
}

// ServeHTTP answers a request of somebody who logs in with Basic authentication.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.login) }

// Operator answers requests without a login: whoever can reach it is the operator, with all tags
// and permissions. It is for a socket that only the owner of the data directory can open.
func (h *Handler) Operator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, func(*http.Request) (user, error) { return user{operator: true}, nil })
	})
}

// The patience of a server with its clients.
const (
	headerPatience = 10 * time.Second
	bodyPatience   = 5 * time.Minute // definitions may be large, and lines slow
	writePatience  = 5 * time.Minute
	idlePatience   = 2 * time.Minute
	headerBytesMax = 64 << 10
)

// Server returns a server for a handler of the API that waits for no client for ever.
func (h *Handler) Server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerPatience, ReadTimeout: bodyPatience,
		WriteTimeout: writePatience, IdleTimeout: idlePatience, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(h.o.Logger.Handler(), slog.LevelDebug),
	}
}
