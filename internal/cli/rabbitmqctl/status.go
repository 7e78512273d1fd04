package rabbitmqctl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

func statusVerbs() []*verb {
	unit := []option{text("unit", "")}
	return []*verb{
		{name: "status", banner: saying("Status of node %n ..."), options: unit, do: status},
		{name: "report", banner: saying("Reporting server status of node %n ...\n"), do: report},
		{name: "memory_breakdown", banner: saying("Reporting memory breakdown on node %n..."),
			options: unit, do: memoryBreakdown},
		{name: "listeners", do: listListeners,
			banner: saying("Asking node %n to report its protocol listeners ...")},
		{name: "log_location", options: []option{flag("all", "a")},
			banner: saying("Log file location(s) on node %n ..."), do: func(t *task) error {
				o, err := t.nodeObject()
				if err != nil {
					return err
				}
				return t.message("%s", strings.Join(asWords(o.get("log_files")).(words), "\n"))
			}},
	}
}

// nodeObject is what the API knows of the node.
func (t *task) nodeObject() (object, error) {
	return t.getObject(apiclient.Path("nodes", t.node.name))
}

// facts are what status, report and checks show.
type facts struct {
	node, overview, memory object
	vhosts, alarms         int
	listeners              []listener
}

func (t *task) facts() (*facts, error) {
	var f facts
	var err error
	if f.node, err = t.nodeObject(); err != nil {
		return nil, err
	}
	if f.overview, err = t.getObject("/overview"); err != nil {
		return nil, err
	}
	memory, err := t.getObject(apiclient.Path("nodes", t.node.name, "memory"))
	if err != nil {
		return nil, err
	}
	f.memory, _ = memory.get("memory").(object)
	vhosts, err := t.getList("/vhosts")
	f.vhosts = len(vhosts)
	f.listeners = listenersOf(f.overview)
	return &f, err
}

// listener is where the node listens.
type listener struct {
	node, ip, protocol string
	port               int64
}

func listenersOf(overview object) []listener {
	var list []listener
	for _, item := range overview.list("listeners") {
		o, _ := item.(object)
		list = append(list, listener{
			node: o.text("node"), ip: o.text("ip_address"), protocol: o.text("protocol"),
			port: o.number("port"),
		})
	}
	slices.SortFunc(list, func(a, b listener) int { return cmp.Compare(a.port, b.port) })
	return list
}

// address is how the tools write where a listener is.
func (l listener) address() string {
	if strings.Contains(l.ip, ":") {
		return "[" + l.ip + "]"
	}
	return l.ip
}

func (l listener) purpose() string {
	purposes := map[string]string{
		"amqp": "AMQP 0-9-1", "amqp/ssl": "AMQP 0-9-1 over TLS", "http": "HTTP API",
		"https": "HTTP API over TLS (HTTPS)", "clustering": "inter-node and CLI tool communication",
		"http/prometheus":  "Prometheus exporter API over HTTP",
		"https/prometheus": "Prometheus exporter API over TLS (HTTPS)",
	}
	return cmp.Or(purposes[l.protocol], "unknown")
}

func (l listener) String() string {
	return fmt.Sprintf("Interface: %s, port: %d, protocol: %s, purpose: %s", l.address(), l.port,
		l.protocol, l.purpose())
}

func (l listener) object() object {
	return object{
		{"interface", l.address()}, {"node", l.node}, {"port", asNumber(l.port)},
		{"protocol", l.protocol}, {"purpose", l.purpose()},
	}
}

func listenerObjects(list []listener) []any {
	objects := make([]any, len(list))
	for i, l := range list {
		objects[i] = l.object()
	}
	return objects
}

func listListeners(t *task) error {
	o, err := t.getObject("/overview")
	if err != nil {
		return err
	}
	list := listenersOf(o)
	lines := make([]string, len(list))
	for i, l := range list {
		lines[i] = l.String()
	}
	return t.result(strings.Join(lines, "\n"), object{
		{"listeners", listenerObjects(list)}, {"node", t.node.name}, {"result", "ok"},
	})
}

// unitOf returns the option's unit and how many bytes it is.
func (t *task) unitOf() (string, float64, error) {
	unit := strings.ToLower(cmp.Or(t.options.text("unit"), "gb"))
	sizes := map[string]float64{
		"b": 1, "bytes": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
	}
	size, ok := sizes[unit]
	if !ok {
		return "", 0, badArgument("unit '%s' is not supported. "+
			"Please use one of: bytes, mb, mib, gb, gib, tb, tib", unit)
	}
	return unit, size, nil
}

// rounded writes a number with so many digits behind the point, and no zeros at their end.
func rounded(f float64, digits int) string {
	scale := math.Pow10(digits)
	return decimal(math.Round(f*scale) / scale)
}

// share is a part of the memory.
type share struct {
	name  string
	bytes int64
	part  float64 // in percent
}

// shares are the parts of the memory, the largest first.
func shares(memory object) []share {
	total := totalMemory(memory)
	var list []share
	for _, f := range memory {
		n, ok := f.value.(json.Number)
		if !ok {
			continue // the total, and how it was measured
		}
		bytes, err := n.Int64()
		if err != nil {
			continue
		}
		s := share{name: f.name, bytes: bytes}
		if total > 0 {
			s.part = 100 * float64(bytes) / float64(total)
		}
		list = append(list, s)
	}
	slices.SortStableFunc(list, func(a, b share) int { return cmp.Compare(b.bytes, a.bytes) })
	return list
}

func totalMemory(memory object) int64 {
	return cmp.Or(memory.number("total.rss"), memory.number("total.allocated"),
		memory.number("total.erlang"))
}

func memoryBreakdown(t *task) error {
	unit, size, err := t.unitOf()
	if err != nil {
		return err
	}
	o, err := t.getObject(apiclient.Path("nodes", t.node.name, "memory"))
	if err != nil {
		return err
	}
	memory, _ := o.get("memory").(object)
	var out strings.Builder
	fields := object{}
	for _, s := range shares(memory) {
		part := rounded(s.part, 2)
		fmt.Fprintf(&out, "%s: %s %s (%s%%)\n", s.name, rounded(float64(s.bytes)/size, 4), unit,
			part)
		fields = append(fields, field{s.name, object{
			{"bytes", asNumber(s.bytes)}, {"percentage", json.Number(part)},
		}})
	}
	return t.result(out.String(), fields)
}
