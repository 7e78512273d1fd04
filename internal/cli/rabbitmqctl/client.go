package rabbitmqctl

import (
	"encoding/json"
	"github.com/warrenmq/warren/internal/apiclient"
	"strconv"
	"strings"
)

// clientVerbs list those who are connected.
func clientVerbs() []*verb {
	connection := plain("auth_mechanism", "channel_max", "channels", "connected_at", "frame_max",
		"host", "name", "node", "peer_cert_issuer", "peer_cert_subject", "peer_cert_validity",
		"peer_host", "peer_port", "port", "recv_cnt", "recv_oct", "send_cnt", "send_oct",
		"send_pend", "ssl", "ssl_cipher", "ssl_hash", "ssl_key_exchange", "ssl_protocol", "state",
		"timeout", "user", "vhost", "user_provided_name", "state_reason", "state_since")
	connection = append(connection,
		column{name: "client_properties", as: asArguments},
		column{name: "pid", as: asProcess},
		column{name: "protocol", as: asProtocol})
	channel := plain("acks_uncommitted", "confirm", "consumer_count", "global_prefetch_count",
		"messages_unacknowledged", "messages_uncommitted", "messages_unconfirmed", "name", "node",
		"number", "prefetch_count", "state", "transactional", "user", "vhost")
	channel = append(channel,
		column{name: "pid", as: asProcess},
		column{name: "connection", path: "connection_details.pid", as: asProcess})
	return []*verb{
		lister{
			name: "list_connections", banner: "Listing connections ...", chooses: true,
			path:    func(*task) string { return "/connections" },
			columns: connection, usual: []string{"user", "peer_host", "peer_port", "state"},
		}.verb(),
		lister{
			name: "list_channels", banner: "Listing channels ...", chooses: true,
			path:    func(*task) string { return "/channels" },
			columns: channel,
			usual:   []string{"pid", "user", "consumer_count", "messages_unacknowledged"},
		}.verb(),
		lister{
			name: "list_consumers", banner: "Listing consumers in vhost %v ...", chooses: true,
			path: inVHostOf("consumers"),
			columns: []column{
				{name: "queue_name", path: "queue.name"},
				{name: "channel_pid", path: "channel_details.pid", as: asProcess},
				{name: "consumer_tag"}, {name: "ack_required"}, {name: "prefetch_count"},
				{name: "active"}, {name: "arguments", as: asArguments},
				{name: "exclusive"}, {name: "activity_status", as: asWord},
			},
			usual: []string{"queue_name", "channel_pid", "consumer_tag", "ack_required",
				"prefetch_count", "active", "arguments"},
		}.verb(),
	}
}

// inVHostOf is a path whose last part is the vhost.
func inVHostOf(what string) func(*task) string {
	return func(t *task) string { return apiclient.Path(what, t.vhost()) }
}

// asProtocol reads "AMQP 0-9-1" as {0,9,1}.
func asProtocol(v any) any {
	text, _ := v.(string)
	_, numbers, _ := strings.Cut(text, " ")
	var version protocol
	for part := range strings.SplitSeq(numbers, "-") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return text
		}
		version = append(version, n)
	}
	return version
}

// decimal writes a number as Erlang does: with a point always.
func decimal(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// asNumber makes a cell of a number.
func asNumber(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }
