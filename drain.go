package warren

import "context"

// maintenance is what clients are told of a node that is drained, in RabbitMQ's words.
const maintenance = "Node was put into maintenance mode"

// suspend takes no more AMQP clients, and leaves those that are there.
func (n *Node) suspend() error {
	a := n.app.Load()
	if a == nil {
		return errStopped
	}
	n.options.Logger.Info("listening for AMQP clients is suspended")
	return a.amqp.Suspend()
}

// resume takes AMQP clients again.
func (n *Node) resume() error {
	a := n.app.Load()
	if a == nil {
		return errStopped
	}
	if err := a.amqp.Resume(context.Background()); err != nil {
		return err
	}
	a.draining.Store(false)
	n.options.Logger.Info("listening for AMQP clients again")
	return nil
}

// drain takes no more AMQP clients, has those that are there go elsewhere, and returns when they
// have or ctx is done. What they did not get to do stays undone: nothing is lost.
func (n *Node) drain(ctx context.Context) error {
	a := n.app.Load()
	if a == nil {
		return errStopped
	}
	a.draining.Store(true)
	if err := a.amqp.Suspend(); err != nil {
		return err
	}
	n.options.Logger.Info("draining: clients are sent away")
	return a.door.Drain(ctx, maintenance)
}
