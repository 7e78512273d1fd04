package management

// compatibleRoutes are paths of RabbitMQ's plugins for what warren has not, or not yet: clients
// that look there find nothing, and go on.
func compatibleRoutes() []route {
	empty := func(path string, needs scope, text string) route {
		return route{
			method: "GET", path: path, needs: needs, do: getNothingOf, text: text + ": none",
		}
	}
	const (
		links, shovels   = "Links of federation", "Shovels"
		traces, recorded = "Traces", "Files with traces"
		connections      = "Connections of the stream protocol"
		consumers        = "Consumers of the stream protocol"
		publishers       = "Publishers of the stream protocol"
	)
	return []route{
		empty("/api/federation-links", monitors, links),
		empty("/api/federation-links/:vhost", monitors, links),
		empty("/api/federation-links/state/down", monitors, links),
		empty("/api/federation-links/:vhost/state/down", monitors, links),
		empty("/api/shovels", monitors, shovels),
		empty("/api/shovels/:vhost", monitors, shovels),
		empty("/api/traces", administrators, traces),
		empty("/api/traces/:vhost", administrators, traces),
		empty("/api/trace-files", administrators, recorded),
		empty("/api/stream/connections", managers, connections),
		empty("/api/stream/connections/:vhost", managers, connections),
		empty("/api/stream/consumers", managers, consumers),
		empty("/api/stream/consumers/:vhost", managers, consumers),
		empty("/api/stream/publishers", managers, publishers),
		empty("/api/stream/publishers/:vhost", managers, publishers),
		empty("/api/stream/publishers/:vhost/:queue", managers, publishers),
		{method: "GET", path: "/cli/rabbitmqadmin", needs: anybody, do: getRabbitMQAdmin,
			text: "Where to find rabbitmqadmin: the binary answers to that name"},
	}
}

// getNothingOf answers with an empty list, of a vhost that is there.
func getNothingOf(q *request) error {
	if _, ok := q.lookup("vhost"); ok {
		if _, err := q.vhost(); err != nil {
			return err
		}
	}
	return getNothing(q)
}

func getRabbitMQAdmin(*request) error {
	return &failure{
		status: 404, kind: "Object Not Found",
		reason: "warren is its own rabbitmqadmin: call the binary by that name, or as " +
			"\"warren admin\"",
	}
}
