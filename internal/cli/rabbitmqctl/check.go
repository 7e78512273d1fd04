package rabbitmqctl

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

// checkVerbs are the health checks: they end with 69 when something is wrong.
func checkVerbs() []*verb {
	return slices.Concat(alarmChecks(), listenerChecks(), stateChecks(), singleChecks())
}

func alarmChecks() []*verb {
	return []*verb{
		{name: "alarms", banner: saying("Asking node %n to report any known resource alarms ..."),
			do: func(t *task) error {
				lines, err := t.alarms()
				if err != nil {
					return err
				}
				if len(lines) == 0 {
					lines = []string{"Node " + t.node.name + " reported no alarms, " +
						"local or clusterwide"}
				}
				return t.result(strings.Join(lines, "\n"), t.alarmFields(lines))
			}},
		alarmCheck("check_alarms", "no alarms, local or clusterwide", true),
		alarmCheck("check_local_alarms", "no local alarms", false),
	}
}

func (t *task) alarms() ([]string, error) {
	node, err := t.nodeObject()
	return alarmsOf(node), err
}

func (t *task) alarmFields(lines []string) object {
	list := []any{}
	for _, line := range lines {
		if strings.Contains(line, " alarm on node ") {
			list = append(list, line)
		}
	}
	return object{{"alarms", list}, {"node", t.node.name}, {"result", "ok"}}
}

func alarmCheck(name, none string, bare bool) *verb {
	return &verb{
		name: name, banner: saying("Asking node %n to report any local resource alarms ..."),
		do: func(t *task) error {
			lines, err := t.alarms()
			if err != nil {
				return err
			}
			if len(lines) == 0 {
				return t.result("Node "+t.node.name+" reported "+none, object{{"result", "ok"}})
			}
			return &failure{
				code: exitUnavailable, bare: bare, text: strings.Join(lines, "\n"),
				fields: map[string]any{"result": "error", "alarms": lines, "node": t.node.name},
			}
		},
	}
}

func listenerChecks() []*verb {
	return []*verb{
		{name: "check_port_listener", min: 1, max: 1, do: checkPort,
			valid: func(t *task) error {
				if n, err := strconv.Atoi(t.args[0]); err != nil || n < 1 || n > 65535 {
					return badArgument("Argument must be a valid port number")
				}
				return nil
			},
			banner: saying("Asking node %n if there's an active listener on port %0 ...")},
		{name: "check_protocol_listener", min: 1, max: 1, do: checkProtocol,
			banner: saying("Asking node %n if there's an active listener for protocol %0 ...")},
		{name: "check_port_connectivity", do: checkConnectivity,
			options: []option{text("address", "a")},
			banner:  saying("Testing TCP connections to all active listeners on node %n ...")},
		{name: "check_certificate_expiration", do: checkCertificates, valid: validUnit,
			options: []option{number("within", ""), text("unit", "")},
			banner:  saying("Checking certificate expiration on node %n ...")},
		{name: "certificates", banner: saying("Certificates of node %n ..."), do: certificates},
	}
}

func (t *task) listeners() ([]listener, error) {
	o, err := t.getObject("/overview")
	return listenersOf(o), err
}

func checkPort(t *task) error {
	list, err := t.listeners()
	if err != nil {
		return err
	}
	var ports []string
	for _, l := range list {
		if port := strconv.FormatInt(l.port, 10); port == t.args[0] {
			return t.result("A listener for port "+port+" is running on node "+t.node.name+".",
				object{{"result", "ok"}})
		}
		ports = append(ports, strconv.FormatInt(l.port, 10))
	}
	return failBare(exitUnavailable, "No listener for port %s is active on node %s. "+
		"Found listeners that use the following ports: %s", t.args[0], t.node.name,
		strings.Join(ports, ", "))
}

// protocolNames are other names of protocols that operators use.
func protocolName(name string) string {
	switch name {
	case "amqps", "amqp091s":
		return "amqp/ssl"
	case "amqp091", "amqp0.9.1", "amqp10", "amqp1.0":
		return "amqp"
	}
	return name
}

func checkProtocol(t *task) error {
	list, err := t.listeners()
	if err != nil {
		return err
	}
	var protocols []string
	for _, l := range list {
		if l.protocol == protocolName(strings.ToLower(t.args[0])) {
			return t.result("A listener for protocol "+t.args[0]+" is running on node "+
				t.node.name+".", object{{"result", "ok"}})
		}
		protocols = append(protocols, l.protocol)
	}
	slices.Sort(protocols)
	return fail(exitUnavailable, "No listener for protocol %s is active on node %s. "+
		"Found listeners for the following protocols: %s", t.args[0], t.node.name,
		strings.Join(slices.Compact(protocols), ", "))
}

// connectPatience is how long a listener may take to accept.
const connectPatience = 30 * time.Second

// checkConnectivity connects to each listener, where it says that it listens.
func checkConnectivity(t *task) error {
	list, err := t.listeners()
	if err != nil {
		return err
	}
	var reached, missed []string
	dialer := net.Dialer{Timeout: t.timeout(connectPatience)}
	for _, l := range list {
		host := l.ip
		if t.options.has("address") {
			host = t.options.text("address")
		} else if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
			host = "localhost"
		}
		port := strconv.FormatInt(l.port, 10)
		conn, err := dialer.DialContext(t.ctx, "tcp", net.JoinHostPort(host, port))
		if err != nil {
			missed = append(missed, l.String())
			continue
		}
		_ = conn.Close() // nothing was sent
		reached = append(reached, port)
	}
	if len(missed) > 0 {
		return fail(exitUnavailable, "Connection to ports of the following listeners on node %s "+
			"failed: \n%s", t.node.name, strings.Join(missed, "\n"))
	}
	return t.result("Successfully connected to ports "+strings.Join(reached, ", ")+" on node "+
		t.node.name+".", object{{"result", "ok"}})
}

// expiry is the period of check_certificate_expiration: four weeks if none is given.
func (t *task) expiry() (within int64, unit string) {
	within, unit = 4, "weeks"
	if t.options.has("within") {
		within = t.options.number("within")
	}
	if t.options.has("unit") {
		unit = strings.ToLower(t.options.text("unit"))
	}
	return within, unit
}

func validUnit(t *task) error {
	within, unit := t.expiry()
	if !slices.Contains([]string{"days", "weeks", "months", "years"}, unit) {
		return usageFailure("unit '%s' is not supported. Please use one of: days, weeks, months, "+
			"years", unit)
	}
	if within < 1 {
		return badArgument("within must be a positive number")
	}
	return nil
}

func checkCertificates(t *task) error {
	within, unit := t.expiry()
	shown := unit
	if within == 1 {
		shown = strings.TrimSuffix(unit, "s")
	}
	err := t.health("certificate-expiration", strconv.FormatInt(within, 10), unit)
	if err != nil {
		return err
	}
	return t.message("No certificates are expiring within %d %s.", within, shown)
}

// health asks for a health check of the API.
func (t *task) health(parts ...string) error {
	path := apiclient.Path(append([]string{"health", "checks"}, parts...)...)
	err := t.client.Get(t.ctx, path, nil)
	if apiclient.Status(err) == 503 {
		return fail(exitUnavailable, "%s", reasonOf(err))
	}
	return err
}

func certificates(t *task) error {
	list, err := t.listeners()
	if err != nil {
		return err
	}
	for _, l := range list {
		if strings.HasSuffix(l.protocol, "ssl") || strings.HasPrefix(l.protocol, "https") {
			if err := t.print(l.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

func stateChecks() []*verb {
	is := func(t *task) (string, bool, error) {
		ok, err := t.runs()
		if ok {
			return "RabbitMQ on node " + t.node.name + " is fully booted and running", true, err
		}
		return "RabbitMQ on node " + t.node.name + " is not running or has not fully booted yet " +
			"(check with is_booting)", false, err
	}
	return []*verb{
		{name: "check_running", needs: either,
			banner: saying("Checking if RabbitMQ is running on node %n ..."),
			do: func(t *task) error {
				text, ok, err := is(t)
				if err == nil && !ok {
					err = fail(exitUnavailable, "%s", text)
				}
				if err != nil {
					return err
				}
				return t.message("%s", text)
			}},
		{name: "is_running", needs: either, banner: saying("Asking node %n for its status ..."),
			do: func(t *task) error {
				text, _, err := is(t)
				if err != nil {
					return err
				}
				return t.message("%s", text)
			}},
		{name: "is_booting", needs: either, banner: saying(
			"Asking node %n for its boot status ..."), do: func(t *task) error {
			return t.message("RabbitMQ on node %s is fully booted (check with is_running), "+
				"stopped or has not started booting yet", t.node.name)
		}},
		{name: "check_virtual_hosts", banner: saying(
			"Checking if all vhosts are running on node %n ..."), do: func(t *task) error {
			if err := t.health("virtual-hosts"); err != nil {
				return err
			}
			return t.message("Node %s reported all vhosts as running", t.node.name)
		}},
		{name: "node_health_check", do: func(t *task) error {
			if err := t.health("local-alarms"); err != nil {
				return err
			}
			return t.message("Health check passed")
		}, banner: func(t *task) string {
			return "This command is DEPRECATED and will be removed in a future version.\n" +
				"It performs intrusive, opinionated health checks and requires a fully booted " +
				"node.\nUse one of the options covered in " +
				"https://www.rabbitmq.com/monitoring.html#health-checks instead.\n" +
				fmt.Sprintf("Timeout: %d seconds ...\n", t.timeout(70*time.Second)/time.Second) +
				"Checking health of node " + t.node.name + " ..."
		}},
	}
}

// singleChecks pass on a node that is alone.
func singleChecks() []*verb {
	const alone = "Node %n seems to be the only one in a single node cluster, " +
		"the check does not apply"
	return []*verb{
		passing("check_if_node_is_quorum_critical",
			"Checking if node %n is critical for quorum of any quorum queues ...", alone),
		passing("check_if_node_is_mirror_sync_critical", "Checking if node %n is critical for "+
			"data safety of any classic mirrored queues ...", alone),
		passing("check_for_quorum_queues_without_an_elected_leader",
			"Checking for quorum queues without an elected leader ...",
			"Node %n reported all quorum queues as having responsive leader replicas"),
		passing("check_if_any_deprecated_features_are_used",
			"Checking if any deprecated features are used ...",
			"Cluster reported no deprecated features in use"),
		passing("check_if_cluster_has_classic_queue_mirroring_policy",
			"Checking if cluster has any classic queue mirroring policy ...",
			"Cluster reported no policies that enable classic queue mirroring"),
		passing("check_if_metadata_store_is_initialized",
			"Checking if metadata store of node %n is initialized ...",
			"Metadata store of node %n is initialized"),
		passing("check_if_metadata_store_is_initialized_with_data",
			"Checking if metadata store of node %n is initialized and has data ...",
			"Metadata store of node %n is initialized and has data"),
	}
}

// passing is a check that a running node passes.
func passing(name, banner, text string) *verb {
	return &verb{
		name: name, max: -1, banner: saying(banner),
		do: func(t *task) error { return t.message("%s", saying(text)(t)) },
	}
}
