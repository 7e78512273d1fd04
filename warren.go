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
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/warrenmq/warren/internal/protocol/control"
	"github.com/warrenmq/warren/internal/store"
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
	control *control.Server
	// addr, managementAddr and metricsAddr are where clients find it; they stay the same.
	addr, managementAddr, metricsAddr net.Addr

	// app is what serves clients; nil: it is stopped. changing is held by whoever stops or
	// starts it.
	app      atomic.Pointer[application]
	changing sync.Mutex

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
		stopping: make(chan struct{}), closed: make(chan struct{}),
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
	a, err := n.openApplication(ctx)
	if err != nil {
		return err
	}
	n.app.Store(a)
	// What was chosen stays, should the application stop and start.
	n.addr = a.amqp.Addr()
	o.Listen = n.addr.String()
	if a.web != nil && a.web.addr != nil {
		n.managementAddr = a.web.addr
		o.Management = n.managementAddr.String()
	}
	if a.metrics != nil && a.metrics.addr != nil {
		n.metricsAddr = a.metrics.addr
		o.Metrics.Listen = n.metricsAddr.String()
	}
	o.Metrics.TLS.Listen = a.addresses(protocolMetricsTLS)
	o.TLS.Listen, o.Web.TLS.Listen = a.addresses(protocolAMQPS), a.addresses(protocolHTTPS)
	n.control, err = control.Listen(o.DataDir, a.api.Server(http.HandlerFunc(n.serveOperator)))
	if err == nil {
		go n.watchStore(a)
	}
	return err
}

// watch closes the node when it is asked to stop.
func (n *Node) watch() {
	<-n.stopping
	n.Close()
}

// watchStore stops the node when its disk fails: a broker that cannot keep what it confirms must
// not go on.
func (n *Node) watchStore(a *application) {
	select {
	case <-a.store.Failed():
		n.options.Logger.Error("the log failed, the node stops", "error", a.store.Err())
		n.stop()
	case <-a.closed:
	}
}

// stop asks the node to end and does not wait for it.
func (n *Node) stop() { n.stopOnce.Do(func() { close(n.stopping) }) }

// Addr returns the address AMQP is served on, with the port that was chosen.
func (n *Node) Addr() net.Addr { return n.addr }

// ManagementAddr returns the address the HTTP API is served on; nil when it is not.
func (n *Node) ManagementAddr() net.Addr { return n.managementAddr }

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
		n.changing.Lock()
		if a := n.app.Swap(nil); a != nil {
			errs = append(errs, a.close())
		}
		n.changing.Unlock()
		n.err = errors.Join(errs...)
		if n.control != nil {
			uptime := time.Since(n.started).Round(time.Millisecond)
			n.options.Logger.Info("stopped", "uptime", uptime)
		}
		close(n.closed)
	})
	<-n.closed
	return n.err
}
