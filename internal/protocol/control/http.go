package control

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// httpServer answers the connections that speak HTTP.
type httpServer struct {
	server *http.Server
	conns  chan net.Conn
	closed chan struct{}
	addr   net.Addr
}

// closePatience is how long Close waits for answers that are being written.
const closePatience = 2 * time.Second

func newHTTPServer(server *http.Server, addr net.Addr) *httpServer {
	h := &httpServer{
		server: server, conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr,
	}
	go func() { _ = server.Serve(h) }() // it ends with Close
	return h
}

// Accept, Close and Addr make it the net.Listener of its server.
func (h *httpServer) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close is called once, by the server.
func (h *httpServer) Close() error {
	close(h.closed)
	return nil
}

// Addr returns the address of the socket.
func (h *httpServer) Addr() net.Addr { return h.addr }

// take gives the server a connection; it closes it.
func (h *httpServer) take(conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-h.closed:
		_ = conn.Close()
	}
}

// shutdown lets answers that are being written be finished, and cuts what takes too long.
func (h *httpServer) shutdown() {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	if h.server.Shutdown(ctx) != nil {
		_ = h.server.Close()
	}
}

// begun is a connection of which the beginning has been read.
type begun struct {
	net.Conn
	in *bufio.Reader
}

func (c *begun) Read(b []byte) (int, error) { return c.in.Read(b) }

// speaksJSON looks at how a conversation begins: with a Request, or in HTTP.
func speaksJSON(in *bufio.Reader) (bool, error) {
	first, err := in.Peek(1)
	if err != nil {
		return false, io.EOF
	}
	return first[0] == '{', nil
}
