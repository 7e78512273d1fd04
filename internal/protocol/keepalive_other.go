//go:build !linux

package protocol

import "net"

// listenConfig says how to listen. The runtime switches keep-alive on for each connection.
func listenConfig() *net.ListenConfig { return &net.ListenConfig{} }
