package control

import "github.com/warrenmq/warren/internal/broker"

// listQuarantined lists the queues of all vhosts that are quarantined.
func (n *Node) listQuarantined(r Request) Response {
	var rows [][]any
	for _, v := range n.Broker.VHosts() {
		for _, q := range v.Queues() {
			if f := q.Flow(); f.State == broker.FlowQuarantined {
				rows = append(rows, []any{v.Name(), q.Name(), f.Reason})
			}
		}
	}
	return table([]string{"vhost", "queue", "reason"}, rows, r.Columns)
}

// acceptQueue ends the quarantine of the queue that the one argument names.
func acceptQueue(v *broker.VHost, arguments []string) Response {
	if len(arguments) != 1 {
		return Response{Error: "accept_queue takes the name of the queue"}
	}
	lost, err := v.AcceptQueue(arguments[0])
	if err != nil {
		return Response{Error: err.Text}
	}
	return Response{
		Columns: []string{"queue", "messages_given_up"}, Rows: [][]any{{arguments[0], lost}},
	}
}
