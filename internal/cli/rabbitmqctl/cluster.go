package rabbitmqctl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func clusterVerbs() []*verb {
	return []*verb{
		{name: "cluster_status", banner: saying("Cluster status of node %n ..."),
			do: clusterStatus},
		{name: "await_online_nodes", min: 1, max: 1, needs: whatever, do: awaitNodes,
			valid: func(t *task) error {
				if n, err := strconv.Atoi(t.args[0]); err != nil || n < 1 {
					return badArgument("Argument must be a positive integer")
				}
				return nil
			},
			banner: func(t *task) string {
				return fmt.Sprintf("Will wait for at least %s nodes to join the cluster of %s. "+
					"Timeout: %d seconds.", t.args[0], t.nodeName(),
					t.timeout(defaultPatience)/time.Second)
			}},
	}
}

func clusterStatus(t *task) error {
	if t.format() == "json" {
		fields, err := t.clusterFields()
		if err != nil {
			return err
		}
		return t.result("", fields)
	}
	text, err := t.clusterText()
	if err != nil {
		return err
	}
	return t.result(text, nil)
}

func (t *task) clusterText() (string, error) {
	overview, err := t.getObject("/overview")
	if err != nil {
		return "", err
	}
	node, err := t.nodeObject()
	if err != nil {
		return "", err
	}
	flags, err := t.getList("/feature-flags")
	if err != nil {
		return "", err
	}
	name := t.node.name
	var listeners, flagLines []string
	for _, l := range listenersOf(overview) {
		listeners = append(listeners, "Node: "+name+", "+
			strings.Replace(l.String(), "Interface", "interface", 1))
	}
	for _, f := range flags {
		flagLines = append(flagLines, "Flag: "+f.text("name")+", state: "+f.text("state"))
	}
	var out strings.Builder
	for _, s := range []struct {
		name  string
		lines []string
	}{
		{"Basics", []string{"Cluster name: " + overview.text("cluster_name")}},
		{"Disk Nodes", []string{name}},
		{"Running Nodes", []string{name}},
		{"Versions", []string{name + ": RabbitMQ " + overview.text("rabbitmq_version") +
			" on Erlang " + runtimeOf(overview)}},
		{"Maintenance status", []string{"Node: " + name + ", status: " + maintenance(node)}},
		{"Alarms", orNone(alarmsOf(node))},
		{"Network Partitions", []string{"(none)"}},
		{"Listeners", listeners},
		{"Feature flags", flagLines},
	} {
		out.WriteString(bold(s.name) + "\n\n" + strings.Join(s.lines, "\n") + "\n\n")
	}
	return strings.TrimRight(out.String(), "\n"), nil
}

func maintenance(node object) string {
	if node.get("being_drained") == true {
		return "marked for maintenance"
	}
	return "not under maintenance"
}

func (t *task) clusterFields() (object, error) {
	overview, err := t.getObject("/overview")
	if err != nil {
		return nil, err
	}
	node, err := t.nodeObject()
	if err != nil {
		return nil, err
	}
	flags, err := t.get("/feature-flags")
	if err != nil {
		return nil, err
	}
	alarms := []any{}
	for _, line := range alarmsOf(node) {
		alarms = append(alarms, line)
	}
	name := t.node.name
	return object{
		{"alarms", alarms},
		{"cluster_name", overview.text("cluster_name")},
		{"disk_nodes", []any{name}},
		{"feature_flags", flags},
		{"listeners", object{{name, listenerObjects(listenersOf(overview))}}},
		{"maintenance_status", object{{name, maintenance(node)}}},
		{"partitions", object{}},
		{"ram_nodes", []any{}},
		{"running_nodes", []any{name}},
		{"versions", object{{name, object{
			{"erlang_version", runtimeOf(overview)}, {"rabbitmq_name", "RabbitMQ"},
			{"rabbitmq_version", overview.text("rabbitmq_version")},
		}}}},
	}, nil
}

// awaitNodes waits for this node; more there will not be.
func awaitNodes(t *task) error {
	patience := t.timeout(defaultPatience)
	err := t.poll(patience, func() (bool, error) {
		ok, err := t.runs()
		if err == nil && ok && t.args[0] != "1" {
			return false, fail(exitUnavailable,
				"This node is the only one: %s nodes will never be online", t.args[0])
		}
		return ok, err
	})
	if errors.Is(err, errTimeout) {
		return t.timedOut(patience)
	}
	return err
}
