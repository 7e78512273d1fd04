package management

import (
	"github.com/warrenmq/warren/internal/broker"
)

// singleRoutes are paths about the members of quorum queues, and the memory of Erlang: there is one
// member, and no Erlang.
func singleRoutes() []route {
	const queues, ets = "/api/queues/quorum/", "/api/nodes/:node/memory/ets"
	replicas := func(method, path, text string) route {
		return route{
			method: method, path: queues + path, needs: administrators, do: refuseReplicas,
			text: text + ": refused, there is one node", visible: true,
		}
	}
	noTables := func(path string) route {
		return route{
			method: "GET", path: ets + path, needs: monitors, do: getTables,
			text: "Memory of tables of Erlang: none",
		}
	}
	return []route{
		{method: "GET", path: queues + ":vhost/:queue/status", needs: managers, visible: true,
			do: getQuorumStatus, text: "The members of a quorum queue"},
		replicas("POST", ":vhost/:queue/replicas/add", "Adds a member to a quorum queue"),
		replicas("DELETE", ":vhost/:queue/replicas/delete",
			"Takes a member of a quorum queue away"),
		replicas("POST", "replicas/on/:node/grow", "Adds members on a node"),
		replicas("DELETE", "replicas/on/:node/shrink", "Takes the members on a node away"),
		noTables(""), noTables("/relative"), noTables("/:filter"), noTables("/:filter/relative"),
		{method: "GET", path: "/api/connections/:connection/sessions", needs: managers,
			do: getSessions, text: "Sessions of an AMQP 1.0 connection: none"},
	}
}

// getQuorumStatus shows the one member, in RabbitMQ's words.
func getQuorumStatus(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	found := v.Queue(q.param("queue"))
	switch {
	case found == nil:
		return notFound()
	case found.Definition.Type != "quorum":
		return badRequest("queue '%s' in vhost '%s' is not a quorum queue", found.Name(),
			v.Name())
	}
	return q.reply([]any{map[string]any{
		"Node Name": q.h.o.Node().Name, "Raft State": "leader", "Membership": "voter", "Term": 1,
	}})
}

func refuseReplicas(q *request) error {
	if node, ok := q.lookup("node"); ok && node != q.h.o.Node().Name {
		return notFound()
	}
	return badRequest("this node is alone: a queue has one member")
}

func getTables(q *request) error {
	if err := q.ofThisNode(); err != nil {
		return err
	}
	return q.reply(map[string]any{"ets_tables_memory": map[string]any{}})
}

func getSessions(q *request) error {
	for _, c := range q.h.o.Connections() {
		if c.Name == q.param("connection") && q.maySee(&c) {
			return getNothing(q)
		}
	}
	return notFound()
}

// maySee reports whether the user may see a connection: monitors any, others their own.
func (q *request) maySee(c *broker.Connection) bool {
	return q.user.is(monitors) || c.User == q.user.name
}
