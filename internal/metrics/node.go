package metrics

import (
	"math"
	"net/http"
	"runtime"
	runtimemetrics "runtime/metrics"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

// identity is what dashboards join everything with.
func identity(p *page, n *Node, endpoint string) {
	p.one("build_info", gauge, "Versions of the node", 1,
		label{"rabbitmq_version", n.CompatibleVersion},
		label{"prometheus_plugin_version", n.CompatibleVersion},
		label{"prometheus_client_version", n.Version},
		label{"erlang_version", runtime.Version()},
		label{"product_name", "warren"}, label{"product_version", n.Version})
	p.one("identity_info", gauge, "Name of the node and of its cluster", 1,
		label{"rabbitmq_node", n.Name}, label{"rabbitmq_cluster", n.ClusterName},
		label{"rabbitmq_cluster_permanent_id", n.ClusterID},
		label{"rabbitmq_endpoint", endpoint})
}

func alarms(p *page, on broker.Alarm) {
	is := func(any broker.Alarm) float64 {
		if on&any != 0 {
			return 1
		}
		return 0
	}
	p.one("alarms_file_descriptor_limit", gauge, "is 1 if the alarm is on", 0)
	p.one("alarms_free_disk_space_watermark", gauge, "is 1 if the alarm is on",
		is(broker.DiskAlarm|broker.StoreAlarm))
	p.one("alarms_memory_used_watermark", gauge, "is 1 if the alarm is on",
		is(broker.MemoryAlarm))
}

func (h *Handler) churn(p *page) {
	c := h.o.Broker.Churn()
	p.one("connections_opened_total", counter, "Connections opened", float64(c.ConnectionsOpened))
	p.one("connections_closed_total", counter, "Connections closed", float64(c.ConnectionsClosed))
	p.one("channels_opened_total", counter, "Channels opened", float64(c.ChannelsOpened))
	p.one("channels_closed_total", counter, "Channels closed", float64(c.ChannelsClosed))
	p.one("queues_declared_total", counter, "Queues declared", float64(c.QueuesDeclared))
	p.one("queues_created_total", counter, "Queues created", float64(c.QueuesCreated))
	p.one("queues_deleted_total", counter, "Queues deleted", float64(c.QueuesDeleted))
}

func nodeFamilies(p *page, n *Node) {
	p.one("process_open_fds", gauge, "Open file descriptors", float64(n.FDUsed))
	p.one("process_open_tcp_sockets", gauge, "Open TCP sockets", float64(n.SocketsUsed))
	p.one("process_resident_memory_bytes", gauge, "Memory used in bytes", float64(n.Resident))
	p.one("disk_space_available_bytes", gauge, "Disk space available in bytes",
		float64(n.DiskFree))
	p.one("process_max_fds", gauge, "Open file descriptors limit", float64(n.FDTotal))
	p.one("process_max_tcp_sockets", gauge, "Open TCP sockets limit", float64(n.SocketsTotal))
	p.one("resident_memory_limit_bytes", gauge, "Memory high watermark in bytes",
		float64(n.MemoryLimit))
	p.one("disk_space_available_limit_bytes", gauge, "Free disk space low watermark in bytes",
		float64(n.DiskLimit))
	p.one("erlang_uptime_seconds", gauge, "Node uptime", time.Since(n.Started).Seconds())
	p.one("erlang_processes_used", gauge, "Goroutines", float64(runtime.NumGoroutine()))
	p.one("erlang_scheduler_run_queue", gauge, "Goroutines that wait to run",
		float64(runnable()))
}

// node writes what is known of the node.
func (s *scrape) node() {
	n := s.h.o.Node()
	nodeFamilies(s.page, &n)
}

func (h *Handler) logins(p *page) {
	totals, overHTTP := h.o.Broker.Totals(), h.o.Logins()
	for _, m := range []struct {
		name, help string
		value      func(*broker.Logins) uint64
	}{
		{"auth_attempts_total", "Authorization attempts",
			func(l *broker.Logins) uint64 { return l.Attempts }},
		{"auth_attempts_succeeded_total", "Successful authentication attempts",
			func(l *broker.Logins) uint64 { return l.Succeeded }},
		{"auth_attempts_failed_total", "Failed authentication attempts",
			func(l *broker.Logins) uint64 { return l.Failed }},
	} {
		p.family(m.name, counter, m.help)
		for i := range totals {
			t := &totals[i]
			p.sample(m.name, "", float64(m.value(&t.Logins)), label{"protocol", t.Protocol})
		}
		p.sample(m.name, "", float64(m.value(&overHTTP)), label{"protocol", "http"})
	}
}

// runtimeSamples are what the Go runtime is asked.
const (
	runnableName = "/sched/goroutines/runnable:goroutines"
	pausesName   = "/sched/pauses/total/gc:seconds"
	heapName     = "/memory/classes/heap/objects:bytes"
	freeName     = "/memory/classes/heap/free:bytes"
	unusedName   = "/memory/classes/heap/unused:bytes"
	stacksName   = "/memory/classes/heap/stacks:bytes"
	releasedName = "/memory/classes/heap/released:bytes"
	totalName    = "/memory/classes/total:bytes"
)

func ask(names ...string) map[string]runtimemetrics.Value {
	samples := make([]runtimemetrics.Sample, len(names))
	for i, name := range names {
		samples[i].Name = name
	}
	runtimemetrics.Read(samples)
	values := make(map[string]runtimemetrics.Value, len(names))
	for _, s := range samples {
		values[s.Name] = s.Value
	}
	return values
}

// number is a value of the runtime, 0 if it does not know it.
func number(v runtimemetrics.Value) float64 {
	switch v.Kind() {
	case runtimemetrics.KindUint64:
		return float64(v.Uint64())
	case runtimemetrics.KindFloat64:
		return v.Float64()
	}
	return 0
}

func runnable() uint64 { return uint64(number(ask(runnableName)[runnableName])) }

// pauses returns how long the collector has stopped everything, about, and how often.
func pauses(v runtimemetrics.Value) (seconds, count float64) {
	if v.Kind() != runtimemetrics.KindFloat64Histogram {
		return 0, 0
	}
	h := v.Float64Histogram()
	for i, n := range h.Counts {
		least := h.Buckets[i]
		if n > 0 && !math.IsInf(least, 0) {
			seconds += least * float64(n)
		}
		count += float64(n)
	}
	return seconds, count
}

// own writes what only warren has.
func (h *Handler) own(p *page, leftOut int) {
	v := ask(pausesName, heapName, freeName, unusedName, stacksName)
	p.one("goroutines", gauge, "Goroutines", float64(runtime.NumGoroutine()))
	p.one("memory_heap_bytes", gauge, "Memory of live objects", number(v[heapName]))
	p.one("memory_messages_bytes", gauge, "Memory of messages in queues",
		float64(h.o.Broker.MessageMemory()))
	seconds, count := pauses(v[pausesName])
	p.one("gc_pause_seconds_total", counter,
		"Time for which the garbage collector stopped everything, about", seconds)
	p.one("gc_pauses_total", counter, "Times that it did", count)
	quarantined := 0
	for _, vhost := range h.o.Broker.VHosts() {
		for _, q := range vhost.AppendQueues(nil) {
			if q.Flow().State == broker.FlowQuarantined {
				quarantined++
			}
		}
	}
	p.one("queues_quarantined", gauge, "Queues out of service, their messages on disk are damaged",
		float64(quarantined))
	h.store(p)
	p.one("metrics_objects_left_out", gauge, "Objects that this answer does not tell of",
		float64(leftOut))
}

// memoryBreakdown says what memory is used for.
func (h *Handler) memoryBreakdown(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", contentType)
	p := newPage(w, rabbitmq)
	defer p.end()
	n := h.o.Node()
	identity(p, &n, "memory-breakdown")
	v := ask(heapName, freeName, unusedName, stacksName, releasedName, totalName)
	messages := float64(h.o.Broker.MessageMemory())
	p.one("memory_binary_bytes", gauge, "Messages in memory", messages)
	p.one("memory_other_heap_bytes", gauge, "Everything else that lives",
		max(0, number(v[heapName])-messages))
	p.one("memory_stacks_bytes", gauge, "Stacks of goroutines", number(v[stacksName]))
	p.one("memory_allocated_unused_bytes", gauge, "Memory that is free and kept",
		number(v[freeName])+number(v[unusedName]))
	p.one("memory_reserved_unallocated_bytes", gauge, "Memory given back to the system",
		number(v[releasedName]))
	p.one("memory_total_bytes", gauge, "All memory that the runtime has",
		number(v[totalName])-number(v[releasedName]))
}
