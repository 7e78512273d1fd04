package rabbitmqctl

import (
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

// replicaVerbs are about members of queues: each queue has one, on this node.
func replicaVerbs() []*verb {
	patterns := []option{text("vhost-pattern", ""), text("queue-pattern", "")}
	return []*verb{
		{name: "quorum_status", min: 1, max: 1, format: "pretty_table", do: quorumStatus,
			banner: saying("Status of quorum queue %0 on node %n ...")},
		{name: "peek", min: 2, max: 2, format: "pretty_table", do: peek,
			valid: func(t *task) error {
				if n, err := strconv.Atoi(t.args[1]); err != nil || n < 1 {
					return badArgument("position value must be greater than zero")
				}
				return nil
			},
			banner: saying("Peeking at quorum queue %0 at position %1 on node %n ...")},
		{name: "rebalance", min: 1, max: 1, format: "pretty_table", options: patterns,
			do: rebalance, valid: func(t *task) error {
				switch t.args[0] {
				case "all", "classic", "quorum", "stream":
					return nil
				}
				return fail(exitUnavailable, "type %s is not supported. "+
					"Try one of all, classic, quorum.", t.args[0])
			},
			banner: func(t *task) string {
				if t.args[0] == "all" {
					return "Re-balancing leaders of all queues..."
				}
				return "Re-balancing leaders of " + t.args[0] + " queues..."
			}},
		{name: "reclaim_quorum_memory", min: 1, max: 1, do: collect,
			banner: saying("Will flush Raft WAL of quorum queue %0 ...")},
		{name: "force_checkpoint", max: -1, options: patterns, do: func(t *task) error {
			return t.message("The log of the node needs no checkpoints by hand")
		}},
		passing("list_policies_with_classic_queue_mirroring",
			"Listing policies that enable classic queue mirroring ...", ""),
		passing("list_operator_policies_with_classic_queue_mirroring",
			"Listing operator policies that enable classic queue mirroring ...", ""),
	}
}

// quorumQueue asks for a queue that must be of that type.
func (t *task) quorumQueue(missing *failure) (object, error) {
	o, err := t.getObject(apiclient.Path("queues", t.vhost(), t.args[0]))
	if isMissing(err) {
		return nil, missing
	}
	return o, err
}

// quorumStatus shows the one member that a queue has.
func quorumStatus(t *task) error {
	o, err := t.quorumQueue(fail(exitUnavailable, "not_found"))
	if err != nil {
		return err
	}
	if o.text("type") != "quorum" {
		return fail(exitUnavailable, "Cannot get quorum status of a %s queue", o.text("type"))
	}
	return t.rows(
		[]string{"Node Name", "Raft State", "Membership", "Messages"},
		[][]any{{word(t.node.name), word("leader"), word("voter"), o.get("messages")}})
}

// peekMax is the furthest position that can be shown: all messages before it are taken and
// given back.
const peekMax = 1000

// peek shows a message and leaves it where it is. The API marks it as redelivered.
func peek(t *task) error {
	if _, err := t.quorumQueue(fail(exitUnavailable,
		"Target queue was not found in virtual host '%s'", t.vhost())); err != nil {
		return err
	}
	position, err := strconv.Atoi(t.args[1])
	if err != nil {
		return err
	}
	if position > peekMax {
		return fail(exitUnavailable, "Positions up to %d can be shown", peekMax)
	}
	var content []byte
	err = t.client.Post(t.ctx, apiclient.Path("queues", t.vhost(), t.args[0], "get"),
		map[string]any{"count": position, "ackmode": "ack_requeue_true", "encoding": "auto"},
		&content)
	if err != nil {
		return err
	}
	v, err := parseValue(content)
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	if len(list) < position {
		return fail(exitUnavailable, "Target queue does not have a message at that position")
	}
	message, _ := list[position-1].(object)
	rows := [][]any{}
	for _, f := range message {
		rows = append(rows, []any{f.name, plainText(f.value)})
	}
	return t.rows([]string{"keys", "values"}, rows)
}

func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsonText(v)
}

// rebalance counts what there is: nothing is to be moved.
func rebalance(t *task) error {
	queues, err := t.getList("/queues")
	if err != nil {
		return err
	}
	quorum := 0
	for _, q := range queues {
		if strings.EqualFold(q.text("type"), "quorum") {
			quorum++
		}
	}
	return t.rows(
		[]string{"Node name", "Number of quorum queues", "Number of replicated classic queues"},
		[][]any{{word(t.node.name), asNumber(int64(quorum)), asNumber(0)}})
}
