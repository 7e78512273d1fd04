package differential

import "fmt"

// qos limits what a channel's consumers hold.
type qos struct {
	channel, count int
	global         bool
}

func (s qos) String() string {
	return fmt.Sprintf("ch%d basic.qos %d%s", s.channel, s.count,
		flags(map[string]bool{"global": s.global}))
}

func (s qos) play(p *player) {
	p.on(s.channel, func(l *lane) error { return l.channel.Qos(s.count, 0, s.global) })
}

// recovery asks for everything that the channel holds again.
type recovery struct {
	channel int
	requeue bool
}

func (s recovery) String() string {
	return fmt.Sprintf("ch%d basic.recover%s", s.channel,
		flags(map[string]bool{"requeue": s.requeue}))
}

func (s recovery) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		err := l.channel.Recover(s.requeue)
		if err == nil {
			p.say("recovered%s", p.tellHoldings(l.held))
			l.held = nil
		}
		return err
	})
}

// ending commits what the channel has done since the last, or takes it back.
type ending struct {
	channel int
	undo    bool
}

func (s ending) String() string {
	verb := "commit"
	if s.undo {
		verb = "rollback"
	}
	return fmt.Sprintf("ch%d tx.%s", s.channel, verb)
}

func (s ending) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		end := l.channel.TxCommit
		if s.undo {
			end = l.channel.TxRollback
		}
		err := end()
		if err == nil {
			p.say("done%s", l.mixed())
			l.ended(s.undo)
		}
		return err
	})
}

// selection asks for confirms or transactions on a channel.
type selection struct {
	channel int
	mode    mode
}

func (s selection) String() string {
	return fmt.Sprintf("ch%d %s.select", s.channel, []string{"", "confirm", "tx"}[s.mode])
}

func (s selection) play(p *player) {
	p.on(s.channel, func(l *lane) error {
		ask := l.channel.Tx
		if s.mode == confirms {
			ask = func() error { return l.channel.Confirm(false) }
		}
		err := ask()
		if err == nil {
			p.say("selected")
			l.mode = s.mode
		}
		return err
	})
}

// closing closes a channel, or its whole connection.
type closing struct {
	channel    int
	connection bool
}

func (s closing) String() string {
	if s.connection {
		return fmt.Sprintf("connection.close of ch%d", s.channel)
	}
	return fmt.Sprintf("ch%d channel.close", s.channel)
}

func (s closing) play(p *player) {
	l := p.lanes[s.channel]
	if l == nil {
		p.say("it is not open")
		return
	}
	p.acted = true
	_ = l.channel.Close()
	if s.connection {
		p.closeConnection(l.link)
	}
	p.say("closed")
}

// closeConnection closes a connection and its channels, one after the other: what two channels of a
// connection hold comes back in no order that is promised.
func (p *player) closeConnection(link *link) {
	for _, l := range p.lanes {
		if l != nil && l.link == link && len(l.held)+l.consuming > 0 {
			_ = p.settle()
			p.acted = true
			_ = l.channel.Close()
		}
	}
	_ = link.connection.Close()
}
