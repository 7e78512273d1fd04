// Package warren runs a message broker node inside a Go program: every AMQP 0-9-1 client takes
// it for RabbitMQ.
//
//	node, err := warren.Start(ctx, warren.Options{DataDir: "data", Listen: "127.0.0.1:0"})
//	if err != nil {
//		return err
//	}
//	defer node.Close()
//	fmt.Println(node.URI()) // connect any AMQP client here
//
// Several nodes run in one process, each with its own data directory; there is no global
// state. The package is the wiring: it stands above all others and holds no rules.
package warren

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/protocol"
	"github.com/warrenmq/warren/internal/protocol/amqp091"
	"github.com/warrenmq/warren/internal/protocol/control"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/wheel"
)

// Version is the version of this module.
const Version = "0.1.0"

// reserveBytesMin is what may wait for the disk while it gets full: a buffer of the log that is
// being written, and one that fills.
const reserveBytesMin = 2 * store.BufferBytesDefault

// closePatience is how long Close lets clients take their leave.
const closePatience = 2 * time.Second

// Node is a running broker. Its methods may be called concurrently.
type Node struct {
	options Options
	started time.Time
	store   *store.Store
	broker  *broker.Manager
	amqp    *protocol.Listener
	control *control.Server
	timers  *wheel.Timers
	monitor *broker.Monitor

	stopping chan struct{} // closed when the node is asked to stop, or cannot go on
	stopOnce sync.Once
	closed   chan struct{}
	closing  sync.Once
	err      error // of Close; read after closed
}

// Start recovers the data directory and begins to serve. When it returns without error,
// clients can connect. The node runs until Close, or until ctx is done.
func Start(ctx context.Context, o Options) (*Node, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("warren: %w", err)
	}
	n := &Node{
		options: o.withDefaults(), started: time.Now(),
		stopping: make(chan struct{}), closed: make(chan struct{}), timers: wheel.NewTimers(),
	}
	if err := n.open(ctx); err != nil {
		n.Close()
		return nil, fmt.Errorf("warren: start: %w", err)
	}
	context.AfterFunc(ctx, n.stop)
	go n.watch()
	return n, nil
}

func (n *Node) open(ctx context.Context) (err error) {
	o := &n.options
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return err
	}
	if err = os.MkdirAll(o.DataDir, 0o700); err != nil {
		return err
	}
	if err = n.openStore(); err != nil {
		return err
	}
	n.monitor = n.broker.Monitor(n.monitorOptions())
	door := amqp091.NewDoor(amqp091.Options{
		Broker: n.broker, Logger: o.Logger, Heartbeat: o.Heartbeat,
		HandshakeTimeout: o.HandshakeTimeout, MessageMax: o.MessageMax, Timers: n.timers,
		ClusterName: clusterName(), Version: Version,
	})
	verbs := &control.Node{
		Broker: n.broker, Status: n.status, Connections: door.Connections, Stop: n.stop,
	}
	if n.control, err = control.Listen(o.DataDir, o.Logger, verbs.Answer); err != nil {
		return err
	}
	n.amqp, err = protocol.Listen(ctx, o.Listen, protocol.Options{
		Door: door, Logger: o.Logger, ConnectionsMax: o.ConnectionsMax,
	})
	return err
}

// openStore opens the data directory for a manager, and the manager.
func (n *Node) openStore() (err error) {
	o := &n.options
	var alarm storeAlarm
	n.store, err = store.Open(store.Options{
		Dir: o.DataDir, FS: disk.OS(), FileBytesMax: o.LogFileBytes, Logger: o.Logger,
		ReserveBytesMin: reserveBytesMin, Full: alarm.set,
	})
	if err != nil {
		return err
	}
	n.broker, err = broker.New(broker.Options{
		Store: n.store, ExchangeTypes: standard().exchangeTypes,
		DefaultUser: o.DefaultUser, DefaultPassword: o.DefaultPassword, Logger: o.Logger,
		Timers: n.timers,
	})
	if err != nil {
		return err
	}
	alarm.watchedBy(n.broker)
	return nil
}

// watch closes the node when it is asked to stop or its disk fails: a broker that cannot keep
// what it confirms must not go on.
func (n *Node) watch() {
	select {
	case <-n.stopping:
	case <-n.store.Failed():
		n.options.Logger.Error("the log failed, the node stops", "error", n.store.Err())
	}
	n.Close()
}

// stop asks the node to end and does not wait for it.
func (n *Node) stop() { n.stopOnce.Do(func() { close(n.stopping) }) }

// Addr returns the address AMQP is served on, with the port that was chosen.
func (n *Node) Addr() net.Addr { return n.amqp.Addr() }

// URI returns where clients on this machine connect to.
func (n *Node) URI() string { return "amqp://" + n.Addr().String() }

// DataDir returns the absolute path of the data directory.
func (n *Node) DataDir() string { return n.options.DataDir }

// Done is closed when the node has ended.
func (n *Node) Done() <-chan struct{} { return n.closed }

// Err returns why the node ended, once Done is closed: nil when it was asked to.
func (n *Node) Err() error {
	select {
	case <-n.closed:
		return n.err
	default:
		return nil
	}
}

// Close ends the node: clients are told and given a moment, everything confirmed is on stable
// storage, files are closed. It returns when the node has ended, whoever ended it.
func (n *Node) Close() error {
	n.closing.Do(func() {
		n.stop()
		var errs []error
		if n.control != nil {
			errs = append(errs, n.control.Close())
		}
		if n.amqp != nil {
			errs = append(errs, n.amqp.Close(closePatience))
		}
		if n.monitor != nil {
			n.monitor.Close()
		}
		if n.broker != nil {
			n.broker.Close()
		}
		if n.store != nil {
			errs = append(errs, n.store.Err(), n.store.Close())
		}
		n.timers.Close()
		n.err = errors.Join(errs...)
		if n.amqp != nil {
			uptime := time.Since(n.started).Round(time.Millisecond)
			n.options.Logger.Info("stopped", "uptime", uptime)
		}
		close(n.closed)
	})
	<-n.closed
	return n.err
}

// status are the lines that `warren ctl status` shows.
func (n *Node) status() [][]any {
	queues, messages := 0, 0
	for _, v := range n.broker.VHosts() {
		for _, q := range v.Queues() {
			s := q.Stats()
			queues++
			messages += s.Ready + s.Unacked
		}
	}
	return append(control.ProcessStatus(Version, n.started), [][]any{
		{"data_directory", n.options.DataDir},
		{"listener_amqp", n.Addr().String()},
		{"connections", n.amqp.Connections()},
		{"vhosts", len(n.broker.VHosts())},
		{"queues", queues},
		{"messages", messages},
	}...)
}
