package warren

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/warrenmq/warren/internal/management"
	"github.com/warrenmq/warren/internal/protocol"
	"github.com/warrenmq/warren/internal/tlsconfig"
)

// The names of what is served over TLS, as RabbitMQ calls it.
const (
	protocolAMQPS = "amqp/ssl"
	protocolHTTPS = "https"

	protocolMetricsTLS = "https/prometheus"
)

// secured is an address that something is served on over TLS.
type secured struct {
	protocol     string
	addr         net.Addr
	certificates *tlsconfig.Source
}

// listen opens all addresses that AMQP is served on.
func (a *application) listen(ctx context.Context, o *Options) (err error) {
	a.amqp, err = protocol.Listen(ctx, o.Listen, protocol.Options{
		Door: a.door, Logger: o.Logger, ConnectionsMax: o.ConnectionsMax,
		Sockets: protocol.Sockets(o.Sockets),
	})
	if err != nil {
		return err
	}
	for _, address := range o.ListenMore {
		if _, err := a.amqp.Add(ctx, address, nil); err != nil {
			return err
		}
	}
	return a.secure(ctx, o, protocolAMQPS, &o.TLS, nil, a.amqp.Add)
}

// listenWeb opens all addresses that the HTTP API is served on, if there are any.
func (a *application) listenWeb(ctx context.Context, n *Node) error {
	o := &n.options
	if o.Management == "" && len(o.Web.TLS.Listen) == 0 {
		return nil
	}
	a.web = &webServer{server: a.api.Server(management.Probes(n.condition, o.Web.below(a.api)))}
	return a.serveWeb(ctx, o, a.web, webAddresses{
		"management", o.Management, o.Web.Optional, protocolHTTPS, &o.Web.TLS,
	})
}

// webAddresses are those that one thing is served on over HTTP.
type webAddresses struct {
	name     string
	plain    string // "": none
	optional bool   // it is no mistake when plain is taken
	protocol string // that of those over TLS
	tls      *TLS
}

// serveWeb opens addresses for a server.
func (a *application) serveWeb(
	ctx context.Context, o *Options, w *webServer, at webAddresses,
) error {
	if at.plain != "" {
		var err error
		w.addr, err = w.add(ctx, at.plain, nil)
		switch {
		case err != nil && at.optional:
			o.Logger.Warn(at.name+" is not served: its usual address is taken", "error", err)
		case err != nil:
			return fmt.Errorf("%s: %w", at.name, err)
		}
	}
	protocols := []string{"h2", "http/1.1"}
	if err := a.secure(ctx, o, at.protocol, at.tls, protocols, w.add); err != nil {
		return fmt.Errorf("%s: %w", at.name, err)
	}
	return nil
}

// below serves what h serves below the prefix, and nothing else.
func (w *Web) below(h http.Handler) http.Handler {
	prefix := strings.Trim(w.Prefix, "/")
	if prefix == "" {
		return h
	}
	return http.StripPrefix("/"+prefix, h)
}

// secure opens the addresses of one protocol over TLS. The protocols within it (ALPN) are those
// that clients may choose from.
func (a *application) secure(
	ctx context.Context, o *Options, protocol string, t *TLS, within []string,
	add func(context.Context, string, *tls.Config) (net.Addr, error),
) error {
	if len(t.Listen) == 0 {
		return nil
	}
	files := t.files()
	files.Logger = o.Logger
	certificates, err := tlsconfig.Open(files)
	if err != nil {
		return err
	}
	for _, address := range t.Listen {
		addr, err := add(ctx, address, certificates.Config(within...))
		if err != nil {
			return err
		}
		a.secured = append(a.secured, secured{protocol, addr, certificates})
	}
	return nil
}

// AddrTLS returns the first address that AMQP is served on over TLS; nil: there is none.
func (n *Node) AddrTLS() net.Addr { return n.served(protocolAMQPS) }

// ManagementAddrTLS is AddrTLS for the HTTP API.
func (n *Node) ManagementAddrTLS() net.Addr { return n.served(protocolHTTPS) }

func (n *Node) served(protocol string) net.Addr {
	if a := n.app.Load(); a != nil {
		for _, s := range a.secured {
			if s.protocol == protocol {
				return s.addr
			}
		}
	}
	return nil
}

// addresses are those that a protocol is served on over TLS.
func (a *application) addresses(protocol string) (list []string) {
	for _, s := range a.secured {
		if s.protocol == protocol {
			list = append(list, s.addr.String())
		}
	}
	return list
}

// reloadCertificates reads the files of certificates again, or others; those that cannot be used
// change nothing.
func (a *application) reloadCertificates(o *Options) error {
	var errs []error
	for _, s := range a.secured {
		files := o.TLS
		switch s.protocol {
		case protocolHTTPS:
			files = o.Web.TLS
		case protocolMetricsTLS:
			files = o.Metrics.TLS
		}
		if len(files.Listen) > 0 { // it is switched off at the next start
			errs = append(errs, s.certificates.Replace(files.files()))
		}
	}
	return errors.Join(errs...)
}

// listeners tells where everything is served.
func (a *application) listeners() (list []management.Listener) {
	for _, addr := range a.amqp.Addrs() {
		list = append(list, listener("amqp", addr))
	}
	if a.web != nil && a.web.addr != nil {
		list = append(list, listener("http", a.web.addr))
	}
	if a.metrics != nil && a.metrics.addr != nil {
		list = append(list, listener("http/prometheus", a.metrics.addr))
	}
	for _, s := range a.secured {
		l := listener(s.protocol, s.addr)
		l.TLS, l.NotAfter = true, s.certificates.Leaf().NotAfter
		list = append(list, l)
	}
	return list
}

// listener tells where a protocol is served.
func listener(protocol string, addr net.Addr) management.Listener {
	l := management.Listener{Protocol: protocol}
	if host, port, err := net.SplitHostPort(addr.String()); err == nil {
		l.IP = host
		l.Port, _ = strconv.Atoi(port)
	}
	return l
}

// webServer serves HTTP, on an address or several.
type webServer struct {
	server  *http.Server
	addr    net.Addr // without TLS; nil: there is none
	serving sync.WaitGroup
}

// add opens one more address, with TLS if secure is not nil.
func (w *webServer) add(
	ctx context.Context, address string, secure *tls.Config,
) (net.Addr, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	addr := l.Addr()
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	w.serving.Go(func() { _ = w.server.Serve(l) }) // it ends with close
	return addr, nil
}

// close lets answers that are being written be finished, and cuts what takes too long.
func (w *webServer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		_ = w.server.Close()
	}
	w.serving.Wait()
}
