package rabbitmqctl

import (
	"fmt"
	"strings"
)

func status(t *task) error {
	unit, size, err := t.unitOf()
	if err != nil {
		return err
	}
	f, err := t.facts()
	if err != nil {
		return err
	}
	return t.result(f.text(unit, size), f.fields())
}

// text are the sections of status.
func (f *facts) text(unit string, size float64) string {
	var out strings.Builder
	section := func(name string, lines ...string) {
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		out.WriteString(bold(name) + "\n\n" + strings.Join(lines, "\n"))
		if len(lines) > 0 {
			out.WriteString("\n")
		}
	}
	amount := func(path string) string {
		return rounded(float64(f.node.number(path))/size, 4) + " " + unit
	}
	n, o := f.node, f.overview
	section("Runtime",
		"OS PID: "+cellText(n.get("os_pid")),
		"OS: "+systemName(),
		fmt.Sprintf("Uptime (seconds): %d", n.number("uptime")/1000),
		fmt.Sprintf("Is under maintenance?: %t", n.get("being_drained") == true),
		"RabbitMQ version: "+o.text("rabbitmq_version"),
		"Node name: "+n.text("name"),
		"Erlang configuration: "+runtimeOf(o),
		fmt.Sprintf("Erlang processes: %d used, %d limit", n.number("proc_used"),
			n.number("proc_total")),
		fmt.Sprintf("Scheduler run queue: %d", n.number("run_queue")),
	)
	section("Plugins", append([]string{"Enabled plugins:", ""},
		bullets(asWords(n.get("enabled_plugins")).(words))...)...)
	section("Data directory", "Node data directory: "+n.text("db_dir"))
	section("Config files", bullets(asWords(n.get("config_files")).(words))...)
	section("Log file(s)", bullets(asWords(n.get("log_files")).(words))...)
	section("Alarms", orNone(f.alarmLines())...)
	total := totalMemory(f.memory)
	memory := []string{
		"Total memory used: " + rounded(float64(total)/size, 4) + " " + unit,
		"Calculation strategy: " + n.text("mem_calculation_strategy"),
		"Memory high watermark setting: computed to: " + amount("mem_limit"), "",
	}
	for _, s := range shares(f.memory) {
		memory = append(memory, fmt.Sprintf("%s: %s %s (%s %%)", s.name,
			rounded(float64(s.bytes)/size, 4), unit, rounded(s.part, 2)))
	}
	section("Memory", memory...)
	section("File Descriptors",
		fmt.Sprintf("Total: %d, limit: %d", n.number("fd_used"), n.number("fd_total")),
		fmt.Sprintf("Sockets: %d, limit: %d", n.number("sockets_used"),
			n.number("sockets_total")))
	section("Free Disk Space",
		"Low free disk space watermark: "+amount("disk_free_limit"),
		"Free disk space: "+amount("disk_free"))
	section("Totals",
		fmt.Sprintf("Connection count: %d", o.number("object_totals.connections")),
		fmt.Sprintf("Queue count: %d", o.number("object_totals.queues")),
		fmt.Sprintf("Virtual host count: %d", f.vhosts))
	lines := make([]string, len(f.listeners))
	for i, l := range f.listeners {
		lines[i] = l.String()
	}
	section("Listeners", lines...)
	return strings.TrimRight(out.String(), "\n")
}

func bullets(list []string) []string {
	lines := make([]string, len(list))
	for i, s := range list {
		lines[i] = " * " + s
	}
	return lines
}

func orNone(lines []string) []string {
	if len(lines) == 0 {
		return []string{"(none)"}
	}
	return lines
}

// alarmLines say which alarms the node has.
func (f *facts) alarmLines() []string { return alarmsOf(f.node) }

func alarmsOf(node object) []string {
	var lines []string
	if node.get("mem_alarm") == true {
		lines = append(lines, "Memory alarm on node "+node.text("name"))
	}
	if node.get("disk_free_alarm") == true {
		lines = append(lines, "Free disk space alarm on node "+node.text("name"))
	}
	return lines
}

// fields are status for programs.
func (f *facts) fields() object {
	n, o := f.node, f.overview
	texts := func(list []string) []any {
		values := make([]any, len(list))
		for i, s := range list {
			values[i] = s
		}
		return values
	}
	listOf := func(path string) []any { return texts(asWords(n.get(path)).(words)) }
	return object{
		{"active_plugins", listOf("enabled_plugins")},
		{"alarms", texts(f.alarmLines())},
		{"config_files", listOf("config_files")},
		{"data_directory", n.get("db_dir")},
		{"disk_free", n.get("disk_free")},
		{"disk_free_limit", n.get("disk_free_limit")},
		{"erlang_version", runtimeOf(o)},
		{"file_descriptors", object{
			{"sockets_limit", n.get("sockets_total")}, {"sockets_used", n.get("sockets_used")},
			{"total_limit", n.get("fd_total")}, {"total_used", n.get("fd_used")},
		}},
		{"is_under_maintenance", n.get("being_drained") == true},
		{"listeners", listenerObjects(f.listeners)},
		{"log_files", listOf("log_files")},
		{"memory", f.memory},
		{"node", n.get("name")},
		{"os", systemName()},
		{"pid", asNumber(n.number("os_pid"))},
		{"processes", object{{"limit", n.get("proc_total")}, {"used", n.get("proc_used")}}},
		{"product_name", o.text("product_name")},
		{"product_version", o.text("product_version")},
		{"rabbitmq_version", o.get("rabbitmq_version")},
		{"run_queue", n.get("run_queue")},
		{"totals", object{
			{"virtual_host_count", asNumber(int64(f.vhosts))},
			{"connection_count", asNumber(o.number("object_totals.connections"))},
			{"queue_count", asNumber(o.number("object_totals.queues"))},
		}},
		{"uptime", asNumber(n.number("uptime") / 1000)},
		{"vm_memory_calculation_strategy", n.get("mem_calculation_strategy")},
		{"vm_memory_high_watermark_limit", n.get("mem_limit")},
	}
}

// report concatenates what support wants to see.
func report(t *task) error {
	f, err := t.facts()
	if err != nil {
		return err
	}
	err = t.print("Status of node " + t.node.name + " ...\n" + f.text("gb", 1e9) + "\n")
	if err != nil {
		return err
	}
	cluster, err := t.clusterText()
	if err != nil {
		return err
	}
	err = t.print("Cluster status of node " + t.node.name + " ...\n" + cluster + "\n")
	if err != nil {
		return err
	}
	for _, name := range []string{"list_connections", "list_channels"} {
		if err := t.inner(name, ""); err != nil {
			return err
		}
	}
	vhosts, err := t.getList("/vhosts")
	if err != nil {
		return err
	}
	for _, v := range vhosts {
		for _, name := range []string{
			"list_queues", "list_exchanges", "list_bindings", "list_consumers",
			"list_permissions", "list_policies", "list_parameters",
		} {
			if err := t.inner(name, v.text("name")); err != nil {
				return err
			}
		}
	}
	return t.print("End of server status report ...")
}

// inner carries out another verb without arguments.
func (t *task) inner(name, vhost string) error {
	other := *t
	other.verb, other.args, other.options = t.lookUp(name), nil, options{}
	if other.verb == nil {
		return nil
	}
	if vhost != "" {
		other.options["vhost"] = vhost
	}
	if err := other.say(); err != nil {
		return err
	}
	if err := other.verb.do(&other); err != nil {
		return err
	}
	return t.print("")
}
