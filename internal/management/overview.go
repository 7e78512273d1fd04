package management

func overviewRoutes() []route {
	return []route{
		{method: "GET", path: "/api/overview", needs: managers, do: getOverview,
			text: "What the node is and does"},
	}
}

func getOverview(q *request) error {
	node := q.h.o.Node()
	return q.reply(map[string]any{
		"management_version": q.h.o.CompatibleVersion, "rabbitmq_version": q.h.o.CompatibleVersion,
		"cluster_name": node.ClusterName, "node": node.Name, "rates_mode": q.h.o.RatesMode,
	})
}
