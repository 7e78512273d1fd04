package control

import "github.com/warrenmq/warren/internal/broker"

// listConnections shows the connections of all vhosts, as rabbitmqctl does.
func listConnections(list []broker.Connection, columns []string) Response {
	var rows [][]any
	for _, c := range list {
		since := ""
		if !c.Flow.Since.IsZero() {
			since = c.Flow.Since.UTC().Format("2006-01-02T15:04:05.000Z")
		}
		rows = append(rows, []any{
			c.Name, c.User, c.VHost, c.PeerHost, c.PeerPort, c.Host, c.Port, c.Protocol,
			c.ConnectedAt.UnixMilli(), string(c.Flow.State), c.Flow.Reason, since,
		})
	}
	if len(columns) == 0 {
		columns = []string{"user", "peer_host", "peer_port", "state"}
	}
	return table([]string{
		"name", "user", "vhost", "peer_host", "peer_port", "host", "port", "protocol",
		"connected_at", "state", "state_reason", "state_since",
	}, rows, columns)
}
