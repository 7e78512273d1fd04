package wiretest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/warrenmq/warren/amqp"
)

// connect makes a connection and calls it name. A connection of that name that has ended is
// forgotten.
func (r *runner) connect(name string) error {
	if p := r.peers[name]; p != nil && !p.ended {
		return fmt.Errorf("connection %s stands already", name)
	}
	p, err := dial(name, r.addr)
	if err != nil {
		return err
	}
	r.peers[name] = p
	return nil
}

// call sends a method and waits for the answer, which it forgets.
func (p *peer) call(channel uint16, m amqp.Method, want string) error {
	p.send(channel, m)
	return p.expect(want)
}

// expect waits for an answer that begins with want, and forgets it.
func (p *peer) expect(want string) error {
	p.readUntil(func() bool { return len(p.answers) > 0 }, patience)
	if len(p.answers) == 0 {
		return fmt.Errorf("no answer where %s was expected", want)
	}
	got := p.answers[0].text
	p.answers = p.answers[1:]
	if !strings.HasPrefix(got, want) {
		return fmt.Errorf("%s came where %s was expected", got, want)
	}
	return nil
}

// login connects, shakes hands and opens channel 1 and the channel for barriers.
func (r *runner) login(name string, args arguments) error {
	user, err := args.text("user", "guest")
	password, err2 := args.text("password", user)
	vhost, err3 := args.text("vhost", "/")
	channelMax, err4 := args.number("channel-max", 2047)
	frameMax, err5 := args.number("frame-max", 131072)
	_, bare := args.take("bare")
	_, noBarrier := args.take("no-barrier")
	until, _ := args.take("until")
	if err := errors.Join(err, err2, err3, err4, err5, r.connect(name)); err != nil {
		return err
	}
	p := r.peers[name]
	properties := map[string]any{}
	if !bare {
		properties["capabilities"] = map[string]any{"authentication_failure_close": true,
			"basic.nack": true, "consumer_cancel_notify": true, "publisher_confirms": true}
	}
	p.write(amqp.ProtocolHeader[:])
	if err := p.expect("connection.start "); err != nil || until == "start" {
		return err
	}
	if err := p.call(0, &amqp.ConnectionStartOk{ClientProperties: amqp.NewTable(properties),
		Mechanism: "PLAIN", Response: loginResponse(user, password), Locale: "en_US"},
		"connection.tune "); err != nil || until == "tune" {
		return err
	}
	p.frameMax = uint32(frameMax)
	p.send(0, &amqp.ConnectionTuneOk{ChannelMax: uint16(channelMax), FrameMax: p.frameMax})
	err = p.call(0, &amqp.ConnectionOpen{VirtualHost: vhost}, "connection.open-ok")
	if err != nil {
		return err
	}
	if !noBarrier {
		err = p.call(uint16(channelMax), &amqp.ChannelOpen{}, "channel.open-ok")
		if err != nil {
			return err
		}
		p.barrier = uint16(channelMax)
	}
	return p.call(channelUsed, &amqp.ChannelOpen{}, "channel.open-ok")
}

// logout closes a connection, whatever state it is in, and waits for its end.
func (r *runner) logout(p *peer) {
	if p.ended {
		return
	}
	if p.closing {
		p.send(0, &amqp.ConnectionCloseOk{})
	} else if !p.closed {
		p.send(0, &amqp.ConnectionClose{ReplyCode: amqp.ReplySuccess, ReplyText: "bye"})
	}
	p.readUntil(func() bool { return p.ended || p.closed }, patience)
	p.end()
	p.answers = nil
}

// helper returns the connection that asks and cleans up, with channel 1 open.
func (r *runner) helper() (*peer, error) {
	if p := r.peers[helperPeer]; p != nil && !p.ended {
		return p, nil
	}
	err := r.login(helperPeer, arguments{"no-barrier": "true"})
	return r.peers[helperPeer], err
}

// ask lets the helper send a method and returns what is answered, or "" if nothing.
func (r *runner) ask(m amqp.Method) (string, error) {
	p, err := r.helper()
	if err != nil {
		return "", err
	}
	p.send(channelUsed, m)
	p.readUntil(func() bool { return len(p.answers) > 0 }, patience)
	if len(p.answers) == 0 {
		return "", errors.New("no answer")
	}
	got := p.answers[0].text
	p.answers = nil
	if p.closing || p.ended {
		return "", errors.New(got)
	}
	if strings.HasPrefix(got, "channel.close ") {
		p.send(channelUsed, &amqp.ChannelCloseOk{})
		return got, p.call(channelUsed, &amqp.ChannelOpen{}, "channel.open-ok")
	}
	return got, nil
}

// awaitQueue asks until a queue has the counts, or is gone.
func (r *runner) awaitQueue(verb string, args arguments) error {
	queue, err := args.text("queue", "")
	messages, err2 := args.number("messages", 0)
	consumers, err3 := args.number("consumers", 0)
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	want := fmt.Sprintf("queue.declare-ok queue=%s message-count=%d consumer-count=%d",
		quote(queue), messages, consumers)
	if verb == "gone" {
		want = "channel.close 404 queue.declare "
	}
	got := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err = r.ask(&amqp.QueueDeclare{Queue: queue, Passive: true})
		if err != nil {
			return err
		}
		if strings.HasPrefix(got, want) {
			return nil
		}
	}
	return fmt.Errorf("in the end: %s", got)
}

// clean deletes what the story declares. A queue that belongs to a connection which is about
// to end goes with it.
func (r *runner) clean() {
	queues, exchanges := r.isDeclared()
	for _, name := range queues {
		for end := time.Now().Add(patience); time.Now().Before(end); {
			got, err := r.ask(&amqp.QueueDelete{Queue: name})
			if err != nil {
				r.t.Fatalf("%s: delete queue %s: %v", r.file, name, err)
			}
			if !strings.HasPrefix(got, "channel.close 405 ") {
				break
			}
		}
	}
	for _, name := range exchanges {
		if _, err := r.ask(&amqp.ExchangeDelete{Exchange: name}); err != nil {
			r.t.Fatalf("%s: delete exchange %s: %v", r.file, name, err)
		}
	}
}
