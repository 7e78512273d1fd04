package management

import (
	"runtime"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/warrenmq/warren/internal/broker"
)

func nodeReadRoutes() []route {
	return []route{
		{method: "GET", path: "/api/nodes", needs: monitors, do: listNodes,
			text: "The node, as a list of one"},
		{method: "GET", path: "/api/nodes/:node", needs: monitors, do: getNode,
			text: "The node, with what it uses"},
		{method: "GET", path: "/api/nodes/:node/memory", needs: monitors, do: getMemory,
			text: "What the memory of the node is used for"},
		{method: "GET", path: "/api/nodes/:node/memory/relative", needs: monitors,
			do: getRelativeMemory, text: "What the memory is used for, in parts of a hundred"},
	}
}

// The numbers of the node.
const (
	nMemory = iota
	nFiles
	nSockets
	nProcesses
	nDiskFree
	nCollections
	nReclaimed
	nConnectionsCreated
	nConnectionsClosed
	nChannelsCreated
	nChannelsClosed
	nQueuesDeclared
	nQueuesCreated
	nQueuesDeleted
	nodeNumbers
)

// nodeStatistics are the numbers that nodes/:node has.
func nodeStatistics() []statistic {
	return []statistic{
		{"mem_used", []int{nMemory}}, {"fd_used", []int{nFiles}},
		{"sockets_used", []int{nSockets}}, {"proc_used", []int{nProcesses}},
		{"disk_free", []int{nDiskFree}}, {"gc_num", []int{nCollections}},
		{"gc_bytes_reclaimed", []int{nReclaimed}}, {"context_switches", nil},
		{"io_read_count", nil}, {"io_read_bytes", nil}, {"io_write_count", nil},
		{"io_write_bytes", nil}, {"io_sync_count", nil}, {"io_seek_count", nil},
		{"io_reopen_count", nil}, {"mnesia_ram_tx_count", nil}, {"mnesia_disk_tx_count", nil},
		{"msg_store_read_count", nil}, {"msg_store_write_count", nil},
		{"queue_index_write_count", nil}, {"queue_index_read_count", nil},
		{"io_read_avg_time", nil}, {"io_write_avg_time", nil}, {"io_sync_avg_time", nil},
		{"io_seek_avg_time", nil},
	}
}

// churnStatistics are how much comes and goes.
func churnStatistics() []statistic {
	return []statistic{
		{"connection_created", []int{nConnectionsCreated}},
		{"connection_closed", []int{nConnectionsClosed}},
		{"channel_created", []int{nChannelsCreated}},
		{"channel_closed", []int{nChannelsClosed}},
		{"queue_declared", []int{nQueuesDeclared}},
		{"queue_created", []int{nQueuesCreated}},
		{"queue_deleted", []int{nQueuesDeleted}},
	}
}

// numbersOf are the numbers of the node now.
func (h *Handler) numbersOf(node *NodeInfo) (n [nodeNumbers]int64) {
	runtimeSamples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/frees:bytes"},
	}
	metrics.Read(runtimeSamples)
	n[nMemory], n[nFiles] = int64(node.MemoryUsed), int64(node.FDUsed)
	n[nSockets], n[nProcesses] = int64(node.SocketsUsed), int64(runtime.NumGoroutine())
	n[nDiskFree] = int64(node.DiskFree)
	n[nCollections] = int64(runtimeSamples[0].Value.Uint64())
	n[nReclaimed] = int64(runtimeSamples[1].Value.Uint64())
	c := h.o.Broker.Churn()
	n[nConnectionsCreated], n[nConnectionsClosed] =
		int64(c.ConnectionsOpened), int64(c.ConnectionsClosed)
	n[nChannelsCreated], n[nChannelsClosed] = int64(c.ChannelsOpened), int64(c.ChannelsClosed)
	n[nQueuesDeclared], n[nQueuesCreated] = int64(c.QueuesDeclared), int64(c.QueuesCreated)
	n[nQueuesDeleted] = int64(c.QueuesDeleted)
	return n
}

func (q *request) nodes() (*listing[NodeInfo], error) {
	v, err := q.view()
	if err != nil {
		return nil, err
	}
	return &listing[NodeInfo]{
		items: []NodeInfo{q.h.o.Node()},
		place: func(n *NodeInfo) (string, string) { return "", n.Name },
		write: v.nodeInfo,
	}, nil
}

func listNodes(q *request) error {
	l, err := q.nodes()
	if err != nil {
		return err
	}
	return show(q, l)
}

// thisNode refuses a path that names another node.
func (q *request) thisNode() error {
	if name := q.param("node"); name != q.h.o.Node().Name {
		return notFound()
	}
	return nil
}

func getNode(q *request) error {
	if err := q.thisNode(); err != nil {
		return err
	}
	l, err := q.nodes()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) { l.write(w, &l.items[0]) })
}

// goroutinesMax is told as the limit of processes: there is none but memory.
const goroutinesMax = 1 << 20

func (v *view) nodeInfo(w *writer, n *NodeInfo) {
	w.text("name", n.Name)
	w.text("type", "disc")
	w.flag("running", true)
	w.text("os_pid", strconv.Itoa(n.PID))
	w.int("uptime", time.Since(n.Started).Milliseconds())
	w.int("processors", int64(runtime.GOMAXPROCS(0)))
	w.int("run_queue", 0)
	w.int("fd_total", int64(n.FDTotal))
	w.int("sockets_total", int64(n.SocketsTotal))
	w.int("proc_total", goroutinesMax)
	alarms := v.h.o.Broker.Alarms()
	w.int("mem_limit", int64(n.MemoryLimit))
	w.flag("mem_alarm", alarms&broker.MemoryAlarm != 0)
	w.text("mem_calculation_strategy", "rss")
	w.int("disk_free_limit", int64(n.DiskLimit))
	w.flag("disk_free_alarm", alarms&(broker.DiskAlarm|broker.StoreAlarm) != 0)
	w.flag("being_drained", n.Draining)
	w.text("rates_mode", string(v.h.o.RatesMode))
	v.h.exchangeTypes(w)
	w.raw("auth_mechanisms", authMechanisms)
	v.applications(w)
	v.contexts(w, n, false)
	w.texts("log_files", n.Logs)
	w.text("db_dir", n.DataDir)
	w.texts("config_files", n.ConfigFiles)
	w.int("net_ticktime", 60)
	w.texts("enabled_plugins", []string{"rabbitmq_management"})
	w.raw("partitions", "[]")
	w.raw("cluster_links", "[]")
	w.raw("ra_open_file_metrics", `{"ra_log_wal":0,"ra_log_segment_writer":0}`)
	w.raw("metrics_gc_queue_length", noBacklog)
	if v.off {
		return
	}
	numbers := v.h.numbersOf(n)
	f := figuresOf(v.h.sampler.node, struct{}{}, v.now, numbers[:], v.windows.node)
	w.statistics(nodeStatistics(), &f)
	w.statistics(churnStatistics(), &f)
}

const (
	authMechanisms = `[{"name":"AMQPLAIN","description":"QPid AMQPLAIN mechanism",` +
		`"enabled":true},{"name":"PLAIN","description":"SASL PLAIN authentication mechanism",` +
		`"enabled":true}]`

	// noBacklog says that nothing waits to be forgotten.
	noBacklog = `{"connection_closed":0,"channel_closed":0,"consumer_deleted":0,` +
		`"exchange_deleted":0,"queue_deleted":0,"vhost_deleted":0,"node_node_deleted":0,` +
		`"channel_consumer_deleted":0}`
)

// exchangeTypes writes those that may be declared.
func (h *Handler) exchangeTypes(w *writer) {
	w.list("exchange_types", func(one func(write func())) {
		for _, name := range h.o.Broker.ExchangeTypes() {
			one(func() {
				w.text("name", name)
				w.text("description", "AMQP "+name+
					" exchange, as per the AMQP specification")
				w.flag("enabled", true)
			})
		}
	})
}

// applications are what clients look into for the version of "rabbit" and of plugins.
func (v *view) applications(w *writer) {
	w.list("applications", func(one func(write func())) {
		for _, a := range [][3]string{
			{"rabbit", "RabbitMQ", v.h.o.CompatibleVersion},
			{"rabbitmq_management", "RabbitMQ Management Console", v.h.o.CompatibleVersion},
			{"warren", "Warren", v.h.o.Version},
		} {
			one(func() {
				w.text("name", a[0])
				w.text("description", a[1])
				w.text("version", a[2])
			})
		}
	})
}

// contexts are where the API is served.
func (v *view) contexts(w *writer, n *NodeInfo, withNode bool) {
	w.list("contexts", func(one func(write func())) {
		for _, l := range n.Listeners {
			if l.Protocol != "http" && l.Protocol != "https" {
				continue
			}
			one(func() {
				w.raw("ssl_opts", "[]")
				if withNode {
					w.text("node", n.Name)
				}
				w.text("description", "RabbitMQ Management")
				w.text("path", "/")
				w.text("ip", l.IP)
				w.text("port", strconv.Itoa(l.Port))
				w.text("cowboy_opts", "[]")
			})
		}
	})
}

// memory is what the memory of the process is used for, in bytes, by the parts that RabbitMQ
// has; together they are all that it has of the system. What Go cannot tell apart is under
// other_system.
func (h *Handler) memory() (parts []memoryPart, used uint64) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	queues := uint64(max(h.o.Broker.MessageMemory(), 0))
	objects := value(1)
	used = value(0) - value(5)
	rest := used - min(used, objects+value(2)+value(3)+value(4))
	return []memoryPart{
		{"queue_procs", min(queues, objects)}, {"binary", 0}, {"msg_index", 0},
		{"connection_readers", 0}, {"connection_writers", 0}, {"connection_channels", 0},
		{"connection_other", value(4)}, {"queue_slave_procs", 0}, {"quorum_queue_procs", 0},
		{"quorum_queue_dlx_procs", 0}, {"stream_queue_procs", 0},
		{"stream_queue_replica_reader_procs", 0}, {"stream_queue_coordinator_procs", 0},
		{"plugins", 0}, {"other_proc", objects - min(queues, objects)}, {"metrics", 0},
		{"mgmt_db", 0}, {"mnesia", 0}, {"quorum_ets", 0}, {"other_ets", 0}, {"code", 0},
		{"atom", 0}, {"other_system", rest}, {"allocated_unused", value(2) + value(3)},
		{"reserved_unallocated", 0},
	}, used
}

type memoryPart struct {
	name  string
	bytes uint64
}

func getMemory(q *request) error {
	if err := q.thisNode(); err != nil {
		return err
	}
	parts, used := q.h.memory()
	return q.showOne(func(w *writer) {
		if !w.begin("memory") {
			return
		}
		for _, p := range parts {
			w.int(p.name, int64(p.bytes))
		}
		w.text("strategy", "rss")
		if w.begin("total") {
			w.int("erlang", int64(used))
			w.int("rss", int64(used))
			w.int("allocated", int64(used))
			w.end()
		}
		w.end()
	})
}

func getRelativeMemory(q *request) error {
	if err := q.thisNode(); err != nil {
		return err
	}
	parts, used := q.h.memory()
	return q.showOne(func(w *writer) {
		if !w.begin("memory") {
			return
		}
		for _, p := range parts {
			w.int(p.name, int64((p.bytes*100+used-1)/max(used, 1)))
		}
		w.int("total", 100)
		w.end()
	})
}
