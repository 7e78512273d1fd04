package perf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// natsDialect is the text protocol of NATS. A queue is a subject of its name; several consumers
// share it as a queue group. Where messages are persistent or queues durable, a queue is a
// JetStream stream on files with a durable push consumer, and a confirm is the stream's answer.
type natsDialect struct{}

const natsConnect = `CONNECT {"verbose":false,"pedantic":false,"lang":"go","name":"warren perf",` +
	`"protocol":1,"headers":true,"no_responders":true}` + "\r\nPING\r\n"

// natsAckPending is how many messages a JetStream consumer gives out unacknowledged if no
// prefetch says otherwise: JetStream's own default.
const natsAckPending = 1000

var errNATSLine = errors.New("the server sent what is no NATS protocol")

// natsItem is one thing a server says. Its slices are valid until the next fill.
type natsItem struct {
	verb    string // a constant, or for what carries no message, "": see line
	line    []byte
	subject []byte
	reply   []byte
	sid     int
	headers int // octets of payload that are headers
	payload []byte
}

// The verbs that matter; of the others only the line is kept.
const (
	natsMessage = "MSG"
	natsPing    = "PING"
	natsPong    = "PONG"
)

// natsBuffered returns the next item if it is in the buffer as a whole.
func (c *conn) natsBuffered(item *natsItem) (ok bool, err error) {
	rest := c.buf[c.r:c.w]
	end := bytes.IndexByte(rest, '\n')
	if end < 1 {
		return false, nil
	}
	line := rest[:end-1] // before \r
	if len(line) > 4 && (line[0] == 'M' || line[0] == 'H') {
		return c.natsContent(item, line, end+1)
	}
	*item = natsItem{line: line}
	switch {
	case len(line) == 4 && string(line) == natsPing:
		item.verb = natsPing
	case len(line) == 4 && string(line) == natsPong:
		item.verb = natsPong
	case bytes.HasPrefix(line, []byte("-ERR")):
		return false, fmt.Errorf("the server says %s", line)
	}
	c.r += end + 1
	return true, nil
}

// natsContent parses MSG subject sid [reply] size, and HMSG with the size of the headers before
// the size.
func (c *conn) natsContent(item *natsItem, line []byte, start int) (ok bool, err error) {
	var fields [6][]byte
	count, from := 0, 0
	for i := 0; i <= len(line); i++ {
		if i < len(line) && line[i] != ' ' {
			continue
		}
		if count == len(fields) {
			return false, errNATSLine
		}
		fields[count] = line[from:i]
		count++
		from = i + 1
	}
	headers := 0
	sizes := 1
	if line[0] == 'H' {
		sizes = 2
	}
	if count < 3+sizes || count > 4+sizes {
		return false, errNATSLine
	}
	size, good := natsNumber(fields[count-1])
	if sizes == 2 && good {
		headers, good = natsNumber(fields[count-2])
	}
	sid, sound := natsNumber(fields[2])
	if !good || !sound || headers > size {
		return false, errNATSLine
	}
	whole := start + size + 2
	if c.w-c.r < whole {
		return false, nil
	}
	*item = natsItem{
		verb: natsMessage, line: line, subject: fields[1], sid: sid, headers: headers,
		payload: c.buf[c.r+start : c.r+start+size],
	}
	if count == 4+sizes {
		item.reply = fields[3]
	}
	c.r += whole
	return true, nil
}

// natsNumber reads digits; more than a payload could have is refused.
func natsNumber(digits []byte) (n int, ok bool) {
	for _, d := range digits {
		if d < '0' || d > '9' || n > SizeMax {
			return 0, false
		}
		n = n*10 + int(d-'0')
	}
	return n, len(digits) > 0
}

// natsAwait reads until the server says verb, and drops everything else.
func (c *conn) natsAwait(verb string) (item natsItem, err error) {
	for {
		ok, err := c.natsBuffered(&item)
		switch {
		case err != nil:
			return item, err
		case !ok:
			if err := c.fill(); err != nil {
				return item, err
			}
		case item.verb == verb:
			return item, nil
		case item.verb == natsPing:
			if _, err := c.Write([]byte("PONG\r\n")); err != nil {
				return item, err
			}
		}
	}
}

// natsSync writes what is given, and returns when the server has processed it.
func (c *conn) natsSync(out []byte) error {
	if _, err := c.Write(append(out, "PING\r\n"...)); err != nil {
		return err
	}
	_, err := c.natsAwait(natsPong)
	return err
}

// open implements dialect.
func (natsDialect) open(c *conn, _ target) error {
	if _, err := c.Write([]byte(natsConnect)); err != nil {
		return err
	}
	_, err := c.natsAwait(natsPong)
	return err
}

// leave implements dialect.
func (natsDialect) leave(c *conn) error { return c.natsSync(nil) }

// streamed reports whether queues are streams.
func streamed(o Options) bool { return o.Producers.Persistent || o.Topology.Durable }

// natsSubject is where the messages of a queue go.
func natsSubject(p plan, q plannedQueue) string {
	if p.exchange == "" {
		return q.name
	}
	return q.key
}

// declareShared implements dialect: it makes the streams and their consumers.
func (natsDialect) declareShared(c *conn, p plan, o Options) error {
	if !streamed(o) || o.Topology.Predeclared {
		return nil
	}
	if err := c.SetDeadline(time.Now().Add(setupTimeout)); err != nil {
		return err
	}
	if err := c.natsSync([]byte("SUB " + natsAnswers + " 1\r\n")); err != nil {
		return fmt.Errorf("perf: subscribe to answers: %w", err)
	}
	for _, q := range p.queues {
		if q.owner >= 0 {
			return errors.New("perf: a NATS stream needs a named queue")
		}
		if err := c.declareStream(natsSubject(p, q), q.name, o); err != nil {
			return err
		}
	}
	return c.SetDeadline(time.Time{})
}

// natsAnswers is where JetStream answers what the control connection asks. Each run has one
// control connection, and two runs at a time on one server would only read more answers.
const natsAnswers = "_INBOX.perf-control"

// declareStream makes a stream of all defaults on files, and a durable push consumer of it.
func (c *conn) declareStream(subject, name string, o Options) error {
	err := c.jetStream("STREAM.CREATE."+name, map[string]any{
		"name": name, "subjects": []string{subject}, "storage": "file", "num_replicas": 1,
		"retention": "limits", "discard": "old",
	})
	if err != nil {
		return err
	}
	consumer := map[string]any{
		"durable_name": name, "deliver_subject": natsDeliverTo(name), "deliver_group": name,
		"deliver_policy": "all", "ack_policy": "none", "replay_policy": "instant",
	}
	if !o.Consumers.AutoAck {
		consumer["ack_policy"] = "explicit"
		consumer["max_ack_pending"] = natsAckPending
		if o.Consumers.Prefetch > 0 {
			consumer["max_ack_pending"] = o.Consumers.Prefetch
		}
	}
	return c.jetStream("CONSUMER.DURABLE.CREATE."+name+"."+name, map[string]any{
		"stream_name": name, "config": consumer,
	})
}

// natsDeliverTo is the subject to which a stream's consumer delivers.
func natsDeliverTo(name string) string { return "deliver." + name }

// jetStream asks the JetStream API, and returns its refusal as an error.
func (c *conn) jetStream(verb string, request map[string]any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	out := fmt.Appendf(nil, "PUB $JS.API.%s %s %d\r\n%s\r\n", verb, natsAnswers, len(body), body)
	if _, err := c.Write(out); err != nil {
		return err
	}
	item, err := c.natsAwait(natsMessage)
	if err != nil {
		return fmt.Errorf("perf: %s: %w", verb, err)
	}
	var answer struct {
		Error *struct {
			Description string `json:"description"`
		} `json:"error"`
	}
	if item.headers > 0 {
		return fmt.Errorf("perf: %s: is JetStream on? %q", verb, item.payload)
	}
	if err := json.Unmarshal(item.payload, &answer); err != nil {
		return fmt.Errorf("perf: %s: %w", verb, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("perf: %s: %s", verb, answer.Error.Description)
	}
	return nil
}
