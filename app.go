package warren

import (
	"context"
	"errors"
	"os"
	"sync/atomic"

	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/management"
	"github.com/warrenmq/warren/internal/protocol"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/telemetry"
	"github.com/warrenmq/warren/internal/wheel"
)

// application is everything of a node that serves clients: all but the control socket, which
// stays when an operator stops the rest (RabbitMQ's stop_app) and starts it again.
type application struct {
	store   *store.Store
	broker  *broker.Manager
	door    *amqp091.Door
	amqp    *protocol.Listener
	timers  *wheel.Timers
	tracer  *telemetry.Tracer // nil: nobody wants spans
	monitor *broker.Monitor
	api     *management.Handler
	web     *webServer // nil: the API is served on the control socket only
	metrics *webServer // nil: metrics are not served
	secured []secured  // what is served over TLS
	// draining: clients are sent away, and none is taken.
	draining atomic.Bool
	closed   chan struct{}
}

// openApplication recovers the data directory and begins to serve. On an error nothing is left
// open.
func (n *Node) openApplication(ctx context.Context) (*application, error) {
	a := &application{timers: wheel.NewTimers(), closed: make(chan struct{})}
	if err := a.open(ctx, n); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (a *application) open(ctx context.Context, n *Node) (err error) {
	o := &n.options
	declared, err := o.Import.read(ctx)
	if err != nil {
		return err
	}
	if err = a.openStore(o, haveUsers(declared)); err != nil {
		return err
	}
	if err = a.importDefinitions(ctx, o, declared); err != nil {
		return err
	}
	a.monitor = a.broker.Monitor(o.monitorOptions(a.timers))
	a.door = amqp091.NewDoor(o.doorOptions(a))
	if err = a.listen(ctx, o); err != nil {
		return err
	}
	a.api = management.New(management.Options{
		Broker: a.broker, Logger: o.Logger, Version: Version,
		Connections: a.door.Connections, Channels: a.door.Channels,
		Subscriptions: a.door.Subscriptions,
		Node:          func() management.NodeInfo { return n.info(a) },
		Controls:      n.controls(),
		BodyMax:       o.Web.BodyMax, Interval: o.Web.Interval,
		RatesMode: management.RatesMode(o.Web.Rates), DisableStats: o.Web.DisableStats,
		QueueTotals: o.Web.QueueTotals, AllowOrigins: o.Web.Origins,
	})
	if err = a.listenWeb(ctx, n); err != nil {
		return err
	}
	return a.listenMetrics(ctx, n)
}

// doorOptions are those of the door for AMQP.
func (o *Options) doorOptions(a *application) amqp091.Options {
	return amqp091.Options{
		Broker: a.broker, Logger: o.Logger, Heartbeat: o.Heartbeat,
		HandshakeTimeout: o.HandshakeTimeout, MessageMax: o.MessageMax, Timers: a.timers,
		FrameMax: o.Limits.FrameMax, ChannelMax: o.Limits.ChannelMax,
		Mechanisms:    o.Access.Mechanisms,
		DetailedStats: o.Web.Rates == string(management.RatesDetailed),
		CertificateLogin: auth.CertificateLogin{
			From: o.Access.CertificateFrom, SANType: o.Access.SANType,
			SANIndex: o.Access.SANIndex,
		},
		ClusterName: o.Identity.Cluster, Version: Version,
	}
}

// openStore opens the data directory for a manager, and the manager. With users that are going to
// be declared, none is made.
func (a *application) openStore(o *Options, users bool) (err error) {
	first := o.DefaultUser
	if users {
		first = ""
	}
	var alarm storeAlarm
	a.store, err = store.Open(store.Options{
		Dir: o.DataDir, FS: disk.OS(), FileBytesMax: o.LogFileBytes, Logger: o.Logger,
		ReserveBytesMin: reserveBytesMin, Full: alarm.set,
	})
	if err != nil {
		return err
	}
	if a.tracer, err = o.tracer(); err != nil {
		return err
	}
	a.broker, err = broker.New(broker.Options{
		Tracer: a.tracer,
		Store:  a.store, ExchangeTypes: standard().exchangeTypes,
		DefaultUser: first, DefaultPassword: o.DefaultPassword, Logger: o.Logger,
		Timers: a.timers, NodeName: o.Identity.Node, DefaultQueueType: o.DefaultQueueType,
		ConsumerTimeout: o.ConsumerTimeout,
		Seed:            o.Seed.forBroker(),
		Auth: auth.Options{
			Hashing: o.Access.Hashing, LoopbackUsers: o.Access.LoopbackUsers,
			WaitMax: o.HandshakeTimeout,
		},
		Limits: o.Limits.forBroker(),
	})
	if err != nil {
		return err
	}
	alarm.watchedBy(a.broker)
	return nil
}

// close ends what was opened, in the opposite order: clients are told and given a moment,
// everything confirmed is on stable storage, files are closed.
func (a *application) close() error {
	defer close(a.closed)
	var errs []error
	for _, w := range []*webServer{a.web, a.metrics} {
		if w != nil {
			w.close()
		}
	}
	if a.amqp != nil {
		errs = append(errs, a.amqp.Close(closePatience))
	}
	if a.api != nil {
		a.api.Close()
	}
	if a.monitor != nil {
		a.monitor.Close()
	}
	if a.broker != nil {
		a.broker.Close()
	}
	if a.store != nil {
		errs = append(errs, a.store.Err(), a.store.Close())
	}
	a.tracer.Close()
	a.timers.Close()
	return errors.Join(errs...)
}

// nodeName is how the node is called, in RabbitMQ's form.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return "warren@" + host
}
