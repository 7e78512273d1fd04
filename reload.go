package warren

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
