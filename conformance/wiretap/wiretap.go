// Package wiretap stands between a client and a broker and writes down which AMQP methods pass.
//
// It changes nothing: bytes are forwarded as they come, and read beside it. The conformance suite
// uses it to tell whether a client said goodbye, and whether two brokers hold the same
// conversation with it.
//
//	tap, err := wiretap.Listen(broker.Address())
//	defer tap.Close()
//	// a client connects to tap.Address(), and leaves
//	conversation, err := tap.Conversation(ctx)
package wiretap

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Frame types of AMQP 0-9-1, section 4.2.3.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
)

const (
	protocolHeaderSize = 8
	frameHeaderSize    = 7 // type, channel, size
	frameEnd           = 0xCE
	// payloadMax bounds the frames that the tap believes in: brokers and clients agree on 128 KiB.
	payloadMax = 1 << 20
)

// Conversation is what passed over one connection: the names of the frames in order, such as
// "connection.open", "header", "body". Heartbeats are left out.
type Conversation struct {
	Client []string // what the client said
	Server []string // what the broker said
}

// Tap forwards one connection. Its methods may be called concurrently.
type Tap struct {
	listener net.Listener
	broker   string
	done     chan struct{}

	mu           sync.Mutex
	conversation Conversation
	err          error
	ends         []net.Conn
	closed       bool
}

// Listen listens on loopback for one client, and will forward it to the broker at an address.
func Listen(broker string) (*Tap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("wiretap: %w", err)
	}
	t := &Tap{listener: listener, broker: broker, done: make(chan struct{})}
	go t.serve()
	return t, nil
}

// Address is where the client shall connect.
func (t *Tap) Address() string { return t.listener.Addr().String() }

// Conversation waits until both sides have hung up and returns what they said.
func (t *Tap) Conversation(ctx context.Context) (Conversation, error) {
	select {
	case <-t.done:
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.conversation, t.err
	case <-ctx.Done():
		return Conversation{}, errors.New("wiretap: the connection is still open")
	}
}

// Close hangs up on both sides and returns when nothing is forwarded any more.
func (t *Tap) Close() {
	t.listener.Close()
	t.mu.Lock()
	t.closed = true
	for _, end := range t.ends {
		end.Close()
	}
	t.mu.Unlock()
	<-t.done
}

func (t *Tap) serve() {
	defer close(t.done)
	client, err := t.listener.Accept()
	t.listener.Close()
	if err != nil || !t.keep(client) {
		return
	}
	server, err := net.Dial("tcp", t.broker)
	if err != nil {
		client.Close()
		t.fail(err)
		return
	}
	if !t.keep(server) {
		return
	}
	both := sync.WaitGroup{}
	both.Go(func() { t.forward(server, client, protocolHeaderSize, &t.conversation.Client) })
	both.Go(func() { t.forward(client, server, 0, &t.conversation.Server) })
	both.Wait()
	client.Close()
	server.Close()
}

// keep remembers an end for Close; it is false, and the end closed, when Close has been.
func (t *Tap) keep(end net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		end.Close()
		return false
	}
	t.ends = append(t.ends, end)
	return true
}

func (t *Tap) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// forward copies one direction until its sender hangs up, then hangs up on the receiver. What it
// understood goes to said. A reset is a way to hang up, too: what was said tells whether that was
// polite.
func (t *Tap) forward(to, from net.Conn, preamble int, said *[]string) {
	frames, sink := io.Pipe()
	reading := sync.WaitGroup{}
	reading.Go(func() {
		if err := t.read(bufio.NewReader(frames), preamble, said); err != nil {
			t.fail(err)
		}
		_, _ = io.Copy(io.Discard, frames) // after an error, the bytes still must pass
	})
	_, err := io.Copy(to, io.TeeReader(from, sink))
	sink.Close()
	reading.Wait()
	if err == nil {
		err = to.(*net.TCPConn).CloseWrite()
	}
	if err != nil { // no use in what the other direction may still say
		to.Close()
		from.Close()
	}
}

// read names the frames of one direction.
//
//	0      1         3             7                  size+7   size+8
//	+------+---------+-------------+------------------+--------+
//	| type | channel | size        | payload          | 0xCE   |
//	+------+---------+-------------+------------------+--------+
func (t *Tap) read(r io.Reader, preamble int, said *[]string) error {
	if _, err := io.CopyN(io.Discard, r, int64(preamble)); err != nil {
		return nil // not even a protocol header
	}
	head := make([]byte, frameHeaderSize)
	for {
		if _, err := io.ReadFull(r, head); err != nil {
			return nil // hung up between frames, or in one
		}
		size := binary.BigEndian.Uint32(head[3:])
		if size > payloadMax {
			return fmt.Errorf("wiretap: a frame of %d bytes", size)
		}
		payload := make([]byte, size+1)
		if _, err := io.ReadFull(r, payload); err != nil {
			return nil
		}
		if payload[size] != frameEnd {
			return fmt.Errorf("wiretap: a frame ends with %#x", payload[size])
		}
		if name := frameName(head[0], payload[:size]); name != "" {
			t.mu.Lock()
			*said = append(*said, name)
			t.mu.Unlock()
		}
	}
}

func frameName(kind byte, payload []byte) string {
	switch kind {
	case frameMethod:
		if len(payload) < 4 {
			return "a method without a name"
		}
		class, method := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
		return methodName(class, method)
	case frameHeader:
		return "header"
	case frameBody:
		return "body"
	case frameHeartbeat:
		return ""
	}
	return fmt.Sprintf("a frame of type %d", kind)
}
