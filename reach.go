package warren

import (
	"net"
	"net/netip"
	"strings"
)

// URI returns where clients on this machine connect to.
func (n *Node) URI() string { return "amqp://" + local(n.Addr()) }

// URITLS returns where clients on this machine connect to over TLS; "": nowhere.
func (n *Node) URITLS() string {
	addr := n.AddrTLS()
	if addr == nil {
		return ""
	}
	return "amqps://" + local(addr)
}

// ManagementURL returns where programs on this machine find the HTTP API, without TLS if it is
// served so, with a slash at its end; "": it is not served.
func (n *Node) ManagementURL() string {
	scheme, addr := "http://", n.ManagementAddr()
	if addr == nil {
		scheme, addr = "https://", n.ManagementAddrTLS()
	}
	if addr == nil {
		return ""
	}
	path := "/"
	if prefix := strings.Trim(n.options.Web.Prefix, "/"); prefix != "" {
		path = "/" + prefix + "/"
	}
	return scheme + local(addr) + path + "api/"
}

// HasUser reports whether the node has a user of that name; it has none while its application is
// stopped.
func (n *Node) HasUser(name string) bool {
	a := n.app.Load()
	if a == nil {
		return false
	}
	_, ok := a.broker.User(name)
	return ok
}

// local is where a listener is reached from this machine: one on all addresses is reached at the
// loopback address, for no client connects to "all".
func local(addr net.Addr) string {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return addr.String()
	}
	// A listener on all addresses of IPv6 takes clients of IPv4, too.
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return netip.AddrPortFrom(loopback, at.Port()).String()
}
