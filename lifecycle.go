package warren

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/management"
	"github.com/warrenmq/warren/internal/resource"
	"github.com/warrenmq/warren/internal/store"
)

// serveOperator answers on the control socket, also while the application is stopped.
func (n *Node) serveOperator(w http.ResponseWriter, r *http.Request) {
	management.Probes(n.condition, http.HandlerFunc(n.operate)).ServeHTTP(w, r)
}

// operate answers all that is no probe.
func (n *Node) operate(w http.ResponseWriter, r *http.Request) {
	if a := n.app.Load(); a != nil {
		a.api.Operator().ServeHTTP(w, r)
		return
	}
	management.Stopped(management.Options{
		Logger: n.options.Logger, Version: Version, Controls: n.controls(),
		Node: func() management.NodeInfo { return n.info(nil) },
	}).Operator().ServeHTTP(w, r)
}

// controls are what an operator can have the node do.
func (n *Node) controls() management.Controls {
	return management.Controls{
		Stop: n.stop, StopApp: n.stopApplication, StartApp: n.startApplication,
		Suspend: n.suspend, Resume: n.resume, Drain: n.drain, Revive: n.resume,
		Collect: debug.FreeOSMemory, Backup: n.backup, Reset: n.reset,
		Reload: n.options.Hooks.Reload, SetLogLevel: n.options.Hooks.SetLogLevel,
		SetMemoryHighWatermark: func(to management.Amount) error {
			return n.setLimit(to, (*broker.Monitor).SetMemoryMax)
		},
		SetDiskFreeLimit: func(to management.Amount) error {
			return n.setLimit(to, (*broker.Monitor).SetDiskMin)
		},
	}
}

// errStopped is the answer to those who want something of an application that is stopped.
var errStopped = errors.New("the application is stopped")

// setLimit changes a limit of the monitor, until the application stops.
func (n *Node) setLimit(to management.Amount, set func(*broker.Monitor, uint64)) error {
	a := n.app.Load()
	switch {
	case a == nil:
		return errStopped
	case to.Relative < 0 || to.Bytes != 0 && to.Relative != 0:
		return errors.New("a limit is a number of bytes or a part of the memory")
	}
	set(a.monitor, Amount(to).of(n.options.memory().Bytes))
	return nil
}

// errClosing is the answer to those who want a node to serve that is about to end.
var errClosing = errors.New("the node is about to stop")

// stopApplication ends everything but the control socket. What is durable stays.
func (n *Node) stopApplication() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	a := n.app.Swap(nil)
	if a == nil {
		return nil
	}
	n.options.Logger.Info("application stopped")
	return a.close()
}

// reset deletes everything the node keeps, while its application is stopped.
func (n *Node) reset() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	if n.app.Load() != nil {
		return errors.New("the application runs; stop it first")
	}
	if err := store.Clear(disk.OS(), n.options.DataDir); err != nil {
		return err
	}
	n.options.Logger.Warn("everything that was kept has been deleted", "data", n.options.DataDir)
	return nil
}

// startApplication serves again, on the same addresses.
func (n *Node) startApplication() error {
	n.changing.Lock()
	defer n.changing.Unlock()
	select {
	case <-n.stopping:
		return errClosing
	default:
	}
	if n.app.Load() != nil {
		return nil
	}
	a, err := n.openApplication(context.Background())
	if err != nil {
		return fmt.Errorf("start the application: %w", err)
	}
	n.app.Store(a)
	n.options.Logger.Info("application started")
	go n.watchStore(a)
	return nil
}

// info is a moment of the node; a is nil while the application is stopped.
func (n *Node) info(a *application) management.NodeInfo {
	o := &n.options
	limit := o.memory()
	info := management.NodeInfo{
		Name: o.Identity.Node, ClusterName: o.Identity.Cluster, Started: n.started,
		PID:         os.Getpid(),
		ConfigFiles: o.ConfigFiles, Logs: o.LogFiles,
		DataDir: o.DataDir, MemoryUsed: resource.MemoryUsed(), MemoryTotal: limit.Bytes,
		MemoryLimit: o.MemoryHighWatermark.of(limit.Bytes),
		DiskLimit:   o.DiskFreeLimit.of(limit.Bytes),
	}
	if free, err := disk.OS().Free(o.DataDir); err == nil {
		info.DiskFree = free
	}
	if a == nil {
		return info
	}
	info.FDUsed, info.FDTotal = resource.Descriptors()
	info.MemoryLimit, info.DiskLimit = a.monitor.MemoryMax(), a.monitor.DiskMin()
	info.SocketsUsed, info.SocketsTotal = a.amqp.Connections(), a.amqp.ConnectionsMax()
	info.Draining = a.draining.Load()
	info.Listeners = a.listeners()
	return info
}
