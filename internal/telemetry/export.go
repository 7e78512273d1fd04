package telemetry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// batchMax is how many spans are sent together.
	batchMax = 512
	// sendPatience is how long the endpoint may take for one request.
	sendPatience = 10 * time.Second
	// attemptsMax is how often the same spans are sent until the endpoint takes them, and
	// attemptPause the pause before the second time, twice as long before each after it.
	attemptsMax  = 4
	attemptPause = time.Second
	// closePatience is how long Close waits for the endpoint, all in all.
	closePatience = 2 * time.Second
	// answerMax is how much of an answer is read, in bytes.
	answerMax = 64 << 10
)

// exporter is the goroutine that sends.
type exporter struct {
	*Tracer
	client  http.Client
	spans   []Span
	body    []byte
	failing bool // and that has been logged
	closed  bool
}

// export sends what comes until the tracer is closed.
func (t *Tracer) export() {
	ctx, cancel := context.WithCancel(context.Background()) // done when Close has waited enough
	defer cancel()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	e := &exporter{Tracer: t, client: http.Client{Transport: transport, Timeout: sendPatience}}
	timer := time.NewTimer(t.o.Pause)
	defer timer.Stop()
	for !e.closed {
		select {
		case s := <-t.waiting:
			if e.spans = append(e.spans, s); len(e.spans) < batchMax {
				continue
			}
		case <-timer.C:
		case <-t.closing:
			e.closed = true
			patience := time.AfterFunc(closePatience, cancel)
			defer patience.Stop()
			e.drain()
		}
		e.flush(ctx)
		timer.Reset(t.o.Pause)
	}
}

// drain takes all that waits, which is bounded.
func (e *exporter) drain() {
	for {
		select {
		case s := <-e.waiting:
			e.spans = append(e.spans, s)
		default:
			return
		}
	}
}

// flush sends what was taken, or drops it.
func (e *exporter) flush(ctx context.Context) {
	for len(e.spans) > 0 {
		n := min(len(e.spans), batchMax)
		e.body = e.o.appendRequest(e.body[:0], e.spans[:n])
		if err := e.sendPatiently(ctx); err != nil {
			e.dropped.Add(uint64(n))
			e.trouble(err)
		} else {
			e.sent.Add(uint64(n))
			e.fine()
		}
		e.spans = e.spans[n:]
	}
	e.spans = nil
}

// errRefused is that sending it again would not help.
var errRefused = errors.New("refused")

// sendPatiently sends the body, some times if need be.
func (e *exporter) sendPatiently(ctx context.Context) error {
	pause := attemptPause
	for attempt := 1; ; attempt++ {
		wait, err := e.send(ctx)
		if err == nil || errors.Is(err, errRefused) || attempt == attemptsMax {
			return err
		}
		e.trouble(err)
		timer := time.NewTimer(max(wait, pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-e.untilClosing(ctx):
			timer.Stop()
			return err // the node ends: what was refused until now is not tried again
		}
		timer.Stop()
		pause *= 2
	}
}

// untilClosing is closed when the tracer is, unless that has been noticed.
func (e *exporter) untilClosing(ctx context.Context) <-chan struct{} {
	if e.closed {
		return ctx.Done()
	}
	return e.closing
}

// send sends the body once. An error may say how long to wait before the next time.
func (e *exporter) send(ctx context.Context) (wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.o.Endpoint,
		bytes.NewReader(e.body))
	if err != nil {
		return 0, errRefused
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	request.Header.Set("User-Agent", "warren/"+e.o.Version)
	for key, value := range e.o.Headers {
		request.Header.Set(key, value)
	}
	answer, err := e.client.Do(request)
	if err != nil {
		var where *url.Error // it tells the endpoint, which may hold a password
		if errors.As(err, &where) {
			err = where.Err
		}
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, answerMax))
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		if seconds, err := time.ParseDuration(answer.Header.Get("Retry-After") + "s"); err == nil {
			wait = min(seconds, sendPatience)
		}
		return wait, fmt.Errorf("the endpoint answers %s", answer.Status)
	}
	if answer.StatusCode/100 != 2 {
		return 0, fmt.Errorf("%w: the endpoint answers %s", errRefused, answer.Status)
	}
	return 0, nil
}

// trouble and fine say once that spans cannot be sent, and that they can again.
func (e *exporter) trouble(err error) {
	if !e.failing {
		e.failing = true
		e.o.Logger.Warn("traces cannot be sent", "error", err)
	}
}

func (e *exporter) fine() {
	if e.failing {
		e.failing = false
		e.o.Logger.Info("traces are sent again", "spans_lost", e.dropped.Load())
	}
}
