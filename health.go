package warren

import "github.com/warrenmq/warren/internal/management"

// condition is how the node is, for probes.
func (n *Node) condition() management.Condition {
	a := n.app.Load()
	if a == nil {
		return management.Condition{Checks: []management.Check{
			{Name: "application", Problem: errStopped.Error()},
		}}
	}
	checks := []management.Check{
		{Name: "application"}, {Name: "listeners"}, {Name: "store"}, {Name: "queues"},
	}
	listeners, storage, queues := &checks[1], &checks[2], &checks[3]
	switch {
	case a.draining.Load():
		listeners.Problem = "the node is drained"
	case a.amqp.Suspended():
		listeners.Problem = "listening for AMQP clients is suspended"
	}
	if a.store.Err() != nil {
		storage.Problem = "the log has failed" // why is not for everybody
	}
	if a.broker.AllQuarantined() {
		queues.Problem = "all queues are quarantined"
	}
	return management.Condition{Checks: checks, Alarms: a.broker.Alarms().Resources()}
}
