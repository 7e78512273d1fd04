package perf

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeNATS is as much of a NATS server as a run needs: it routes by subject, keeps one stream
// for each subject that is asked for, and counts acknowledgements.
type fakeNATS struct {
	refuse bool // answers every message to a stream with an error, as a full one does
	listen net.Listener
	conns  sync.WaitGroup

	mu      sync.Mutex
	subs    []fakeSub
	streams map[string]string // by subject: the subject its consumer delivers to
	next    map[string]int    // by group: whose turn it is
	acked   int
	pongs   int
}

type fakeSub struct {
	conn    net.Conn
	subject string // exact, or with * for its last part
	group   string
	sid     string
}

func startFakeNATS(t *testing.T) *fakeNATS {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNATS{listen: l, streams: make(map[string]string), next: make(map[string]int)}
	f.conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.conns.Go(func() { f.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		f.conns.Wait()
	})
	return f
}

func (f *fakeNATS) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	_, _ = io.WriteString(c, "INFO {\"version\":\"0\"}\r\nPING\r\n")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fields := strings.Fields(line)
		switch fields[0] {
		case "PING":
			f.send(c, "PONG\r\n")
		case "PONG":
			f.mu.Lock()
			f.pongs++
			f.mu.Unlock()
		case "SUB":
			sub := fakeSub{conn: c, subject: fields[1], sid: fields[len(fields)-1]}
			if len(fields) == 4 {
				sub.group = fields[2]
			}
			f.mu.Lock()
			f.subs = append(f.subs, sub)
			f.mu.Unlock()
		case "PUB":
			size, _ := strconv.Atoi(fields[len(fields)-1])
			body := make([]byte, size+2)
			if _, err := io.ReadFull(in, body); err != nil {
				return
			}
			reply := ""
			if len(fields) == 4 {
				reply = fields[2]
			}
			f.publish(fields[1], reply, body[:size])
		}
	}
}

func (f *fakeNATS) send(c net.Conn, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _ = io.WriteString(c, text)
}

func (f *fakeNATS) publish(subject, reply string, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case strings.HasPrefix(subject, "$JS.ACK."):
		f.acked++
	case strings.HasPrefix(subject, "$JS.API.STREAM.CREATE."):
		var stream struct{ Subjects []string }
		_ = json.Unmarshal(body, &stream)
		name := strings.TrimPrefix(subject, "$JS.API.STREAM.CREATE.")
		f.streams[stream.Subjects[0]] = natsDeliverTo(name)
		f.deliver(reply, "", []byte(`{}`))
	case strings.HasPrefix(subject, "$JS.API."):
		f.deliver(reply, "", []byte(`{}`))
	case f.streams[subject] != "" && f.refuse:
		f.deliver(reply, "", []byte(`{"error":{"code":503}}`))
	case f.streams[subject] != "":
		f.deliver(f.streams[subject], "$JS.ACK.s.c.1.9.9.9.0", body)
		f.deliver(reply, "", []byte(`{"stream":"s","seq":1}`))
	default:
		f.deliver(subject, reply, body)
	}
}

// deliver gives a message to every subscription, and to one of each group; f.mu is held.
func (f *fakeNATS) deliver(subject, reply string, body []byte) {
	groups := make(map[string][]fakeSub)
	for _, s := range f.subs {
		prefix, all := strings.CutSuffix(s.subject, "*")
		if s.subject != subject && !(all && strings.HasPrefix(subject, prefix)) {
			continue
		}
		if s.group != "" {
			groups[s.group] = append(groups[s.group], s)
			continue
		}
		s.message(subject, reply, body)
	}
	for group, members := range groups {
		f.next[group]++
		members[f.next[group]%len(members)].message(subject, reply, body)
	}
}

func (s fakeSub) message(subject, reply string, body []byte) {
	if reply != "" {
		reply += " "
	}
	out := fmt.Appendf(nil, "MSG %s %s %s%d\r\n", subject, s.sid, reply, len(body))
	_, _ = s.conn.Write(append(append(out, body...), "\r\n"...))
}
