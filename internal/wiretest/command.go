package wiretest

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// zerosMax bounds the bytes that one command may send.
const zerosMax = 1 << 20

// defaultChannel is the channel of a command or an answer that names none.
func defaultChannel(text string) uint16 {
	for _, prefix := range []string{"connection.", "raw", "closed", "garbage"} {
		if strings.HasPrefix(text, prefix) {
			return 0
		}
	}
	return channelUsed
}

// splitAddress takes the connection and channel off the front of a line.
func splitAddress(line string) (name string, channel uint16, rest string) {
	pattern := regexp.MustCompile(`^(c\d+)(?:/(\d+))? (.*)$`)
	m := pattern.FindStringSubmatch(line)
	if m == nil {
		return firstPeer, defaultChannel(line), line
	}
	if m[2] == "" {
		return m[1], defaultChannel(m[3]), m[3]
	}
	n, _ := strconv.ParseUint(m[2], 10, 16)
	return m[1], uint16(n), m[3]
}

// address is what goes before a line: nothing if it goes without saying.
func address(name string, channel uint16, text string) string {
	switch {
	case channel != defaultChannel(text):
		return fmt.Sprintf("%s/%d ", name, channel)
	case name != firstPeer:
		return name + " "
	}
	return ""
}

// command carries out one line.
func (r *runner) command(line string) error {
	name, channel, line := splitAddress(line)
	words := splitWords(line)
	if len(words) == 0 {
		return errors.New("no command")
	}
	args, err := parseArguments(words[1:])
	if err != nil {
		return err
	}
	if err := r.perform(name, channel, words[0], args); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	return args.rest()
}

func (r *runner) perform(name string, channel uint16, verb string, args arguments) error {
	switch verb {
	case "login":
		return r.login(name, args)
	case "connect":
		return r.connect(name)
	case "count", "gone":
		return r.awaitQueue(verb, args)
	}
	p := r.peers[name]
	if p == nil {
		return fmt.Errorf("there is no connection %s", name)
	}
	switch verb {
	case "eof":
		if !p.readUntil(func() bool { return p.ended }, patience) {
			return errors.New("the broker does not hang up")
		}
		return nil
	}
	if p.ended && verb != "drop" {
		return fmt.Errorf("the connection %s has ended", name)
	}
	switch verb {
	case "drop":
		p.end()
		return nil
	case "logout":
		r.logout(p)
		return nil
	case "reopen":
		p.send(channel, &amqp.ChannelCloseOk{})
		return p.call(channel, &amqp.ChannelOpen{}, "channel.open-ok")
	}
	b, err := build(p, channel, verb, args)
	if err == nil {
		p.write(b)
	}
	return err
}

// build makes the bytes of a command that sends some.
func build(p *peer, channel uint16, verb string, args arguments) ([]byte, error) {
	switch verb {
	case "publish":
		return buildPublish(p, channel, args)
	case "header":
		return buildHeader(channel, args)
	case "body":
		text, err := args.text("text", "")
		size, err2 := args.number("size", 0)
		payload := append([]byte(text), make([]byte, min(size, zerosMax))...)
		return appendFrame(nil, amqp.FrameBody, channel, payload), errors.Join(err, err2)
	case "method":
		class, err := args.number("class", 0)
		method, err2 := args.number("method", 0)
		rest, err3 := args.octets("args")
		payload := binary.BigEndian.AppendUint32(nil, uint32(class<<16|method))
		return appendFrame(nil, amqp.FrameMethod, channel, append(payload, rest...)),
			errors.Join(err, err2, err3)
	case "frame":
		return buildFrame(channel, args)
	case "raw":
		octets, err := args.octets("hex")
		text, err2 := args.text("text", "")
		zeros, err3 := args.number("zeros", 0)
		octets = append(append(octets, text...), make([]byte, min(zeros, zerosMax))...)
		return octets, errors.Join(err, err2, err3)
	}
	m := newMethod(verb)
	if m == nil {
		return nil, errors.New("no such command")
	}
	err := fill(m, args)
	return amqp.AppendMethodFrame(nil, channel, m), err
}

func buildPublish(p *peer, channel uint16, args arguments) ([]byte, error) {
	var m amqp.BasicPublish
	var props amqp.Properties
	body, err := args.text("body", "")
	size, err2 := args.number("body-size", 0)
	if size > 0 {
		body = strings.Repeat("a", int(min(size, zerosMax)))
	}
	if err := errors.Join(err, err2, fill(&m, args), fill(&props, args)); err != nil {
		return nil, err
	}
	b := amqp.AppendMethodFrame(nil, channel, &m)
	return amqp.AppendContent(b, channel, props.AppendTo(nil), []byte(body), p.frameMax), nil
}

func buildHeader(channel uint16, args arguments) ([]byte, error) {
	var props amqp.Properties
	size, err := args.number("size", 0)
	class, err2 := args.number("class", amqp.ClassBasic)
	weight, err3 := args.number("weight", 0)
	raw, err4 := args.octets("raw")
	if err := errors.Join(err, err2, err3, err4, fill(&props, args)); err != nil {
		return nil, err
	}
	if len(raw) == 0 {
		raw = props.AppendTo(nil)
	}
	payload := binary.BigEndian.AppendUint32(nil, uint32(class<<16|weight))
	payload = binary.BigEndian.AppendUint64(payload, size)
	return appendFrame(nil, amqp.FrameHeader, channel, append(payload, raw...)), nil
}

func buildFrame(channel uint16, args arguments) ([]byte, error) {
	kind, err := args.number("type", amqp.FrameMethod)
	payload, err2 := args.octets("payload")
	b := appendFrame(nil, uint8(kind), channel, payload)
	size, err3 := args.number("size", uint64(len(payload)))
	binary.BigEndian.PutUint32(b[3:], uint32(size))
	var err4 error
	if end, ok := args.take("end"); ok {
		var octet []byte
		if octet, err4 = hex.DecodeString(end); err4 == nil {
			b = append(b[:len(b)-1], octet...)
		}
	}
	return b, errors.Join(err, err2, err3, err4)
}

// appendFrame appends any frame, right or wrong.
func appendFrame(dst []byte, kind uint8, channel uint16, payload []byte) []byte {
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint16(dst, channel)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	return append(append(dst, payload...), amqp.FrameEnd)
}

// isDeclared finds the queues and exchanges that a story declares by name.
func (r *runner) isDeclared() (queues, exchanges []string) {
	pattern := regexp.MustCompile(`\b(queue|exchange)\.declare\b.* (?:queue|exchange)=(\S+)`)
	for _, s := range r.story.steps {
		for _, line := range s.commands {
			m := pattern.FindStringSubmatch(line)
			if m == nil || slices.Contains(splitWords(line), "passive") {
				continue
			}
			name, err := unquote(m[2])
			if err != nil || name == "" || strings.HasPrefix(name, "amq.") {
				continue
			}
			if m[1] == "queue" {
				queues = append(queues, name)
			} else {
				exchanges = append(exchanges, name)
			}
		}
	}
	return queues, exchanges
}

// loginResponse is a PLAIN response.
func loginResponse(user, password string) string {
	return string(bytes.Join([][]byte{nil, []byte(user), []byte(password)}, []byte{0}))
}
