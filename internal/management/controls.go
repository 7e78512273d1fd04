package management

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// Amount is a number of bytes, or a part of the memory that the process may use.
type Amount struct {
	Bytes    uint64  `json:"bytes,omitempty"`
	Relative float64 `json:"relative,omitempty"`
}

// Controls are what the node itself can be told. A function that is nil is not there: 501.
type Controls struct {
	// Stop begins the end of the node and returns at once.
	Stop func()
	// StopApp ends everything but the control socket, StartApp begins it again. Both return when
	// that is done, and do nothing if it is so already.
	StopApp, StartApp func() error
	// Reset deletes everything the node keeps. It refuses while the application runs.
	Reset func() error
	// Drain takes no more clients, has those that are there go elsewhere, and returns when they
	// have or ctx is done. Revive takes clients again.
	Drain  func(ctx context.Context) error
	Revive func() error
	// Suspend takes no more clients, and leaves those that are there; Resume takes them again.
	Suspend, Resume func() error
	// SetMemoryHighWatermark and SetDiskFreeLimit change when publishers are blocked, until the
	// node stops.
	SetMemoryHighWatermark, SetDiskFreeLimit func(Amount) error
	// SetLogLevel changes what is logged: debug, info, warn, error.
	SetLogLevel func(level string) error
	// Reload reads the configuration again, and says what of it takes a restart to count.
	Reload func() (needRestart []string, err error)
	// Collect collects garbage, and gives memory back to the system.
	Collect func()
	// Backup writes everything the node keeps to w, see package backup. It returns an error before
	// it has written anything when another backup is being made.
	Backup func(ctx context.Context, w io.Writer) error
}

// drainPatience bounds a drain.
const drainPatience = 2 * time.Minute

// controlRoutes are what RabbitMQ's API has not: its command line tells nodes in another way.
func controlRoutes() []route {
	return []route{
		{method: "GET", path: "/api/warren/status", needs: monitors, do: getStatus,
			text: "What the node is, and whether it serves"},
		{method: "POST", path: "/api/warren/stop", needs: administrators, do: postStop,
			text: "Stops the node"},
		{method: "POST", path: "/api/warren/app/stop", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.StopApp }),
			text: "Stops serving; the control socket stays"},
		{method: "POST", path: "/api/warren/app/start", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.StartApp }),
			text: "Serves again"},
		{method: "POST", path: "/api/warren/reset", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.Reset }),
			text: "Deletes everything a stopped node keeps"},
		{method: "POST", path: "/api/warren/drain", needs: administrators, do: postDrain,
			text: "Sends clients elsewhere and takes no more"},
		{method: "POST", path: "/api/warren/revive", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.Revive }),
			text: "Takes clients again after a drain"},
		{method: "POST", path: "/api/warren/listeners/suspend", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.Suspend }),
			text: "Takes no more clients"},
		{method: "POST", path: "/api/warren/listeners/resume", needs: administrators,
			do:   control(func(c *Controls) func() error { return c.Resume }),
			text: "Takes clients again"},
		{method: "POST", path: "/api/warren/collect-garbage", needs: administrators,
			do: postCollect, text: "Gives unused memory back to the system"},
		{method: "GET", path: "/api/warren/backup", needs: administrators, do: getBackup,
			text: "A backup of everything the node keeps, a tar archive"},
		{method: "POST", path: "/api/warren/reload", needs: administrators, do: postReload,
			text: "Reads the configuration again"},
		{method: "PUT", path: "/api/warren/memory-high-watermark", needs: administrators,
			do: amount(func(c *Controls) func(Amount) error {
				return c.SetMemoryHighWatermark
			}), text: "Changes above how much memory publishers are blocked"},
		{method: "PUT", path: "/api/warren/disk-free-limit", needs: administrators,
			do:   amount(func(c *Controls) func(Amount) error { return c.SetDiskFreeLimit }),
			text: "Changes below how much free disk publishers are blocked"},
		{method: "PUT", path: "/api/warren/log-level", needs: administrators, do: putLogLevel,
			text: "Changes what is logged"},
		{method: "POST", path: "/api/warren/authenticate", needs: administrators,
			do: postAuthenticate, text: "Tries the password of a user"},
		{method: "GET", path: "/api/warren/quarantine", needs: monitors, do: getQuarantine,
			text: "Queues whose messages on disk are damaged"},
		{method: "POST", path: "/api/warren/quarantine/:vhost/:queue/accept",
			needs: administrators, do: postAccept,
			text: "Puts a queue into service again with what is left of it"},
	}
}

// notThere is what is said of a control that the node has not.
func notThere() error {
	return &failure{
		status: http.StatusNotImplemented, kind: "not_implemented",
		reason: "this node cannot be told that",
	}
}

// control is a path that carries out one of the Controls, without arguments.
func control(pick func(*Controls) func() error) func(*request) error {
	return func(q *request) error {
		f := pick(&q.h.o.Controls)
		if f == nil {
			return notThere()
		}
		if err := f(); err != nil {
			return &failure{
				status: http.StatusConflict, kind: "conflict", reason: err.Error(),
			}
		}
		return q.done()
	}
}

func amount(pick func(*Controls) func(Amount) error) func(*request) error {
	return func(q *request) error {
		f := pick(&q.h.o.Controls)
		if f == nil {
			return notThere()
		}
		var a Amount
		if err := q.decode(&a); err != nil {
			return err
		}
		if err := f(a); err != nil {
			return badRequest("%v", err)
		}
		return q.done()
	}
}

func postStop(q *request) error {
	stop := q.h.o.Controls.Stop
	if stop == nil {
		return notThere()
	}
	err := q.done()
	_ = http.NewResponseController(q.w).Flush() // whoever asked hears of it before it is so
	stop()
	return err
}

func postDrain(q *request) error {
	drain := q.h.o.Controls.Drain
	if drain == nil {
		return notThere()
	}
	ctx, cancel := context.WithTimeout(q.Context(), drainPatience)
	defer cancel()
	if err := drain(ctx); err != nil {
		return &failure{status: http.StatusConflict, kind: "conflict", reason: err.Error()}
	}
	return q.done()
}

func postCollect(q *request) error {
	collect := q.h.o.Controls.Collect
	if collect == nil {
		return notThere()
	}
	collect()
	return q.done()
}

func postReload(q *request) error {
	reload := q.h.o.Controls.Reload
	if reload == nil {
		return notThere()
	}
	later, err := reload()
	if err != nil {
		return badRequest("%v", err)
	}
	if later == nil {
		later = []string{}
	}
	return q.reply(map[string]any{"need_restart": later})
}

func putLogLevel(q *request) error {
	set := q.h.o.Controls.SetLogLevel
	if set == nil {
		return notThere()
	}
	var in struct{ Level string }
	if err := q.decode(&in); err != nil {
		return err
	}
	if err := set(in.Level); err != nil {
		return badRequest("%v", err)
	}
	return q.done()
}

// postAuthenticate tries a password as a login would, with all that slows guessers down.
func postAuthenticate(q *request) error {
	var in struct{ Username, Password string }
	if err := q.decode(&in); err != nil {
		return err
	}
	err := q.h.o.Broker.Login(q.Context(), in.Username, in.Password, peer(q.Request))
	if err != nil {
		return &failure{
			status: http.StatusForbidden, kind: "not_authorized", reason: "Login failed",
		}
	}
	return q.done()
}

// getStatus tells what the node is, also when its application is stopped.
func getStatus(q *request) error {
	n := q.h.o.Node()
	state := "running"
	switch {
	case q.h.o.Broker == nil:
		state = "stopped"
	case n.Draining:
		state = "draining"
	}
	listeners := make([]map[string]any, 0, len(n.Listeners))
	for _, l := range n.Listeners {
		listeners = append(listeners, map[string]any{
			"protocol": l.Protocol, "ip_address": l.IP, "port": l.Port,
		})
	}
	status := map[string]any{
		"state": state, "name": n.Name, "cluster_name": n.ClusterName,
		"version": q.h.o.Version, "compatible_version": q.h.o.CompatibleVersion,
		"pid": n.PID, "uptime": time.Since(n.Started).Milliseconds(),
		"data_directory": n.DataDir, "config_files": append([]string{}, n.ConfigFiles...),
		"log_files": append([]string{}, n.Logs...), "listeners": listeners,
		"mem_used": n.MemoryUsed, "mem_limit": n.MemoryLimit, "mem_total": n.MemoryTotal,
		"disk_free": n.DiskFree, "disk_free_limit": n.DiskLimit,
		"fd_used": n.FDUsed, "fd_total": n.FDTotal,
		"sockets_used": n.SocketsUsed, "sockets_total": n.SocketsTotal,
		"alarms": []string{},
	}
	if b := q.h.o.Broker; b != nil {
		status["alarms"] = append([]string{}, b.Alarms().Resources()...)
		status["totals"] = totalsOf(b)
	}
	return q.reply(status)
}

// totalsOf counts what a status shows.
func totalsOf(b *broker.Manager) map[string]any {
	queues, ready, unacked := 0, 0, 0
	vhosts := b.VHosts()
	for _, v := range vhosts {
		for _, queue := range v.Queues() {
			s := queue.Stats()
			queues, ready, unacked = queues+1, ready+s.Ready, unacked+s.Unacked
		}
	}
	return map[string]any{
		"connections": b.Connections(), "vhosts": len(vhosts), "queues": queues,
		"messages": ready + unacked, "messages_ready": ready,
		"messages_unacknowledged": unacked,
	}
}

func getQuarantine(q *request) error {
	list := []map[string]any{}
	for _, v := range q.h.o.Broker.VHosts() {
		for _, queue := range v.Queues() {
			if f := queue.Flow(); f.State == broker.FlowQuarantined {
				list = append(list, map[string]any{
					"vhost": v.Name(), "name": queue.Name(), "reason": f.Reason,
					"since": f.Since.UnixMilli(),
				})
			}
		}
	}
	return q.reply(list)
}

func postAccept(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	lost, refused := v.AcceptQueue(q.param("queue"))
	if refused != nil {
		return refused
	}
	return q.reply(map[string]any{"messages_given_up": lost})
}

// Stopped returns a handler for a node whose application is stopped: there is no Broker in o, and
// all that it knows is what the node itself can be told. Everything else is unavailable.
func Stopped(o Options) *Handler {
	h := &Handler{o: o, started: time.Now()}
	h.o.withDefaults()
	for _, r := range controlRoutes() {
		if !strings.HasPrefix(r.path, "/api/warren/quarantine") &&
			r.path != "/api/warren/authenticate" {
			h.routes = append(h.routes, r)
		}
	}
	for i := range h.routes {
		h.router.add(&h.routes[i])
	}
	return h
}

// unknown is what is said of a path that is none.
func (h *Handler) unknown() error {
	if h.o.Broker != nil {
		return notFound()
	}
	return &failure{
		status: http.StatusServiceUnavailable, kind: "unavailable",
		reason: "the application is stopped",
	}
}
