package perf

import (
	"errors"
	"io"
	"net"
	"sync"
)

// relaySize is the most that a relay reads at a time.
const relaySize = 64 << 10

// Relay is the least that any broker has to do: it accepts connections in pairs and copies all
// bytes from each to the other, until the listener is closed; it returns when all copying has
// ended. A run with the URI relay://ADDR goes through it, and so measures what the client, the
// machine and the loopback cost by themselves.
func Relay(l net.Listener) error {
	var copying sync.WaitGroup
	defer copying.Wait()
	for {
		a, err := l.Accept()
		if err != nil {
			return closedIsNil(err)
		}
		b, err := l.Accept()
		if err != nil {
			return errors.Join(closedIsNil(err), a.Close())
		}
		copying.Go(func() { pump(a, b) })
		copying.Go(func() { pump(b, a) })
	}
}

func closedIsNil(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// pump copies from one connection to the other until either ends, and then closes both. It
// reads and writes as a broker does, where io.Copy would leave the copying to the kernel.
func pump(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, relaySize)
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buf)
}
