package warren

import (
	"net"
	"net/netip"
	"testing"
)

func TestAddressesThatAreToldCanBeConnectedTo(t *testing.T) {
	for at, want := range map[string]string{
		"[::]:5672": "127.0.0.1:5672", "0.0.0.0:5672": "127.0.0.1:5672",
		"[::1]:5672": "[::1]:5672", "192.0.2.7:5672": "192.0.2.7:5672",
	} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(at))
		if got := local(addr); got != want {
			t.Errorf("%s is reached at %s, want %s", at, got, want)
		}
	}
}
