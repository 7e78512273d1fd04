package warren

import "context"

// Drain takes no more AMQP clients and has those that are there go elsewhere, some at a time. It
// returns when they have, or ctx is done. What was confirmed is not lost, nor what clients hold.
func (n *Node) Drain(ctx context.Context) error { return n.drain(ctx) }

// Reload takes of new options what a running node can take: when publishers are blocked, Limits but
// for FrameMax and ChannelMax, and the files of certificates, which are read again. All else counts
// at the next start.
func (n *Node) Reload(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	n.changing.Lock()
	defer n.changing.Unlock()
	o = o.withDefaults()
	a := n.app.Load()
	if a == nil {
		return nil
	}
	a.broker.SetLimits(o.Limits.forBroker())
	total := n.options.memory().Bytes
	a.monitor.SetMemoryMax(o.MemoryHighWatermark.of(total))
	a.monitor.SetDiskMin(o.DiskFreeLimit.of(total))
	return a.reloadCertificates(&o)
}
