package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// errSuspended is why no address can be added.
var errSuspended = errors.New("listening is suspended")

// Suspend takes no more clients: their connections are refused. Those that are there stay.
// Suspended already, it changes nothing.
func (l *Listener) Suspend() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.suspended {
		return nil
	}
	l.suspended = true
	return l.closePlaces()
}

// closePlaces stops listening, unless that is suspended; mu is held. Who accepts notices.
func (l *Listener) closePlaces() error {
	errs := make([]error, 0, len(l.places))
	for _, p := range l.places {
		if err := p.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Resume takes clients again, on the addresses and ports of before. If one of them cannot be had,
// none is, and listening stays suspended. A listener that is not suspended stays as it is.
func (l *Listener) Resume(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.done:
		return net.ErrClosed
	default:
	}
	if !l.suspended {
		return nil
	}
	opened := make([]net.Listener, 0, len(l.places))
	for _, p := range l.places {
		address := p.listener.Addr().String()
		listener, err := listenConfig(l.options.Sockets).Listen(ctx, "tcp", address)
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return fmt.Errorf("protocol: listen on %s again: %w", address, err)
		}
		opened = append(opened, listener)
	}
	for i, listener := range opened {
		l.places[i].listener = listener
		secure := l.places[i].secure
		l.serving.Go(func() { l.accept(listener, secure) })
	}
	l.suspended = false
	return nil
}

// Suspended reports whether no clients are taken.
func (l *Listener) Suspended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.suspended
}
