package warren

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/warrenmq/warren/internal/telemetry"
)

// Tracing says where spans of traced messages are exported to. The zero value is nowhere.
type Tracing struct {
	// Endpoint is the URL that takes them over OTLP/HTTP, such as
	// "http://localhost:4318/v1/traces"; "" for none. It may hold a password.
	Endpoint string
	// Headers are sent with them, in OpenTelemetry's form: "key=value", with commas between, and
	// values escaped as in URLs.
	Headers string
	// Ratio is the part of messages without a traceparent that begin a trace; default none.
	Ratio float64
	// Service is what the node is called in traces; default warren.
	Service string
}

// options are those of a tracer.
func (t *Tracing) options(o *Options) (telemetry.Options, error) {
	to := telemetry.Options{
		Endpoint: t.Endpoint, Service: t.Service, Instance: o.Identity.Node, Version: Version,
		Ratio: t.Ratio, Logger: o.Logger,
	}
	for i, pair := range strings.Split(t.Headers, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		key = strings.TrimSpace(key)
		if !ok || key == "" || err != nil || strings.ContainsAny(key+value, "\r\n") {
			// The text may be a secret.
			return to, fmt.Errorf("header %d for traces is not key=value", i+1)
		}
		if to.Headers == nil {
			to.Headers = make(map[string]string)
		}
		to.Headers[key] = value
	}
	return to, to.Validate()
}

// tracer returns what takes spans; nil: nobody wants them.
func (o *Options) tracer() (*telemetry.Tracer, error) {
	if o.Tracing.Endpoint == "" {
		return nil, nil
	}
	to, err := o.Tracing.options(o)
	if err != nil {
		return nil, err
	}
	return telemetry.New(to), nil
}
