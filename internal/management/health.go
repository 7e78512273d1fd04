package management

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/queue"
)

func healthRoutes() []route {
	const checks = "/api/health/checks/"
	const leaders = checks + "quorum-queues-without-elected-leaders/"
	const ready = "That the node serves clients"
	check := func(path, text string, do func(*request) error) route {
		return route{method: "GET", path: path, needs: managers, do: do, text: text}
	}
	return []route{
		check(checks+"alarms", "That no resource alarm is in effect", checkAlarms(
			"There are alarms in effect in the cluster")),
		check(checks+"local-alarms", "That no resource alarm is in effect on this node",
			checkAlarms("There are alarms in effect on the node")),
		check(checks+"certificate-expiration/:within/:unit",
			"That no certificate of a listener expires within so many days, weeks, months or years",
			checkCertificates),
		check(checks+"port-listener/:port", "That the node listens on a port", checkPort),
		check(checks+"protocol-listener/:protocols",
			"That the node listens for one of some protocols, with commas between", checkProtocol),
		check(checks+"virtual-hosts", "That all virtual hosts run", checkVHosts),
		check(checks+"node-is-quorum-critical",
			"That no quorum would be lost with this node", checkSingleNode),
		check(checks+"node-is-mirror-sync-critical",
			"That no mirrored queue would be lost with this node", checkSingleNode),
		check(checks+"is-in-service", ready, checkServes),
		check(checks+"ready-to-serve-clients", ready, checkServes),
		check(checks+"reached-target-cluster-size", "That all nodes of the cluster are there",
			checkNothing),
		check(checks+"below-node-connection-limit", "That clients may still connect",
			checkConnections),
		check(checks+"metadata-store/initialized", "That definitions are there", checkNothing),
		check(checks+"metadata-store/initialized/with-data", "That definitions are there",
			checkNothing),
		check(leaders+"all-vhosts", "That all quorum queues have a leader", checkLeaders),
		check(leaders+"all-vhosts/pattern/:pattern",
			"That the quorum queues of that name have a leader", checkLeaders),
		check(leaders+"vhost/:vhost", "That the quorum queues of a virtual host have a leader",
			checkLeaders),
		check(leaders+"vhost/:vhost/pattern/:pattern",
			"That the quorum queues of that name have a leader", checkLeaders),
		check("/api/aliveness-test/:vhost",
			"That a message goes through the queue aliveness-test", checkAlive),
		check("/api/healthchecks/node", "That no resource alarm is in effect", checkNode),
		check("/api/healthchecks/node/:node", "That no resource alarm is in effect", checkNode),
	}
}

// healthy answers that a check has passed, with more fields if there are.
func (q *request) healthy(fields ...any) error {
	return q.health(http.StatusOK, "ok", "", fields)
}

// unhealthy answers that a check has failed, with keys and values.
func (q *request) unhealthy(reason string, fields ...any) error {
	return q.health(http.StatusServiceUnavailable, "failed", reason, fields)
}

func (q *request) health(status int, word, reason string, fields []any) error {
	answer := map[string]any{"status": word}
	if reason != "" {
		answer["reason"] = reason
	}
	for i := 0; i < len(fields); i += 2 {
		answer[fields[i].(string)] = fields[i+1] // they are written in this package
	}
	return q.replyStatus(status, answer)
}

func checkAlarms(reason string) func(*request) error {
	return func(q *request) error {
		short := q.h.o.Broker.Alarms().Resources()
		if len(short) == 0 {
			return q.healthy()
		}
		var list []map[string]string
		for _, resource := range short {
			list = append(list, map[string]string{
				"node": q.h.o.Node().Name, "resource": resource,
			})
		}
		return q.unhealthy(reason, "alarms", list)
	}
}

func checkNode(q *request) error {
	name := q.h.o.Node().Name
	if given, ok := q.lookup("node"); ok && given != name {
		return notFound()
	}
	short := q.h.o.Broker.Alarms().Resources()
	if len(short) == 0 {
		return q.healthy()
	}
	var list []string
	for _, resource := range short {
		list = append(list, "{resource_limit,"+resource+","+name+"}")
	}
	return q.unhealthy("resource alarm(s) in effect:[" + strings.Join(list, ",") + "]")
}

func checkPort(q *request) error {
	port, err := strconv.Atoi(q.param("port"))
	if err != nil {
		return badRequest("Invalid port")
	}
	ports := []int{}
	for _, l := range q.h.o.Node().Listeners {
		if l.Port == port {
			return q.healthy("port", port)
		}
		ports = append(ports, l.Port)
	}
	return q.unhealthy("No active listener", "missing", port, "ports", ports)
}

// protocolName returns RabbitMQ's name of a protocol that may be called in other ways.
func protocolName(text string) string {
	name := strings.ToLower(strings.TrimSpace(text))
	switch name {
	case "amqp091", "amqp0.9.1", "amqp-0.9.1", "amqp10", "amqp1.0", "amqp-1.0":
		return "amqp"
	case "amqps", "amqp-ssl", "amqp-tls", "amqp/tls":
		return "amqp/ssl"
	case "management":
		return "http"
	case "prometheus":
		return "http/prometheus"
	}
	return name
}

func checkProtocol(q *request) error {
	given := q.param("protocols")
	wanted := strings.Split(given, ",")
	var protocols []string
	for _, l := range q.h.o.Node().Listeners {
		if !slices.Contains(protocols, l.Protocol) {
			protocols = append(protocols, l.Protocol)
		}
	}
	for _, text := range wanted {
		if name := protocolName(text); slices.Contains(protocols, name) {
			return q.healthy("protocol", name)
		}
	}
	return q.unhealthy("No active listener", "missing", given, "protocols", protocols)
}

// checkVHosts finds the vhosts with queues whose messages are damaged on disk: all others run.
func checkVHosts(q *request) error {
	var down []string
	for _, v := range q.h.o.Broker.VHosts() {
		if slices.ContainsFunc(v.Queues(), func(x *broker.Queue) bool {
			return x.Flow().State == broker.FlowQuarantined
		}) {
			down = append(down, v.Name())
		}
	}
	if down != nil {
		return q.unhealthy("Some virtual hosts are down", "virtual-hosts", down)
	}
	return q.healthy()
}

func checkNothing(q *request) error { return q.healthy() }

func checkSingleNode(q *request) error { return q.healthy("reason", "single node cluster") }

func checkServes(q *request) error {
	if q.h.o.Node().Draining {
		return q.unhealthy("this node is in maintenance mode")
	}
	return q.healthy()
}

func checkConnections(q *request) error {
	node := q.h.o.Node()
	if node.SocketsTotal > 0 && node.SocketsUsed >= node.SocketsTotal {
		return q.unhealthy("node connection limit is reached",
			"current", node.SocketsUsed, "limit", node.SocketsTotal)
	}
	return q.healthy("current", node.SocketsUsed, "limit", node.SocketsTotal)
}

// checkLeaders passes: a queue of a single node leads itself.
func checkLeaders(q *request) error {
	if _, ok := q.lookup("vhost"); ok {
		if _, err := q.vhost(); err != nil {
			return err
		}
	}
	return q.healthy()
}

// aliveness is the queue, and the message, of the old health check.
const aliveness = "aliveness-test"

// checkAlive sends a message through a queue, as RabbitMQ does: the queue stays.
func checkAlive(q *request) error {
	if _, err := q.vhost(); err != nil {
		return err
	}
	a, err := q.access()
	if err != nil {
		return err
	}
	d := q.h.newDesk(a)
	defer d.close()
	if err := declareAliveness(q, a); err != nil {
		return err
	}
	source, err := readable(a, aliveness)
	if err != nil {
		return err
	}
	_, refusal := d.publish(&letter{
		key: aliveness, body: []byte("test_message"),
		properties: (&amqp.Properties{}).AppendTo(nil),
	}, 0)
	if refusal != nil {
		return onChannel(refusal)
	}
	if _, err := d.await(0); err != nil {
		return err
	}
	t, err := d.get(q.Context(), source)
	if err != nil {
		return err
	}
	if t == nil {
		return q.unhealthy("the message did not come back")
	}
	d.settle(queue.Ack, t)
	return q.healthy()
}

func declareAliveness(q *request, a *broker.Access) error {
	if q.h.o.Broker.VHost(a.VHostName()).Queue(aliveness) != nil {
		return nil
	}
	err := declareQueue(a, aliveness, &queueBody{})
	if f := failureOf(err); f != nil && f.status == http.StatusUnauthorized {
		return notAuthorized("ACCESS_REFUSED - access to queue '" + aliveness + "' in vhost '" +
			a.VHostName() + "' refused for user '" + q.user.name + "'")
	}
	return err
}
