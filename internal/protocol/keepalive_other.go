//go:build !linux

package protocol

import "net"

// listenConfig says how to listen. The runtime switches keep-alive on for each connection. Buffers
// are the system's.
func listenConfig(o Sockets) *net.ListenConfig {
	if o.NoKeepAlive {
		return &net.ListenConfig{KeepAlive: -1}
	}
	return &net.ListenConfig{}
}

// queue leaves how many connections wait to the system.
func (o Sockets) queue(net.Listener) error { return nil }
