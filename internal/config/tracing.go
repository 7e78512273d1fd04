package config

import (
	"strings"

	"github.com/warrenmq/warren"
)

// tracingKeys are about traces. The variables of OpenTelemetry that are listed with those of the
// environment say the same.
func tracingKeys() []Key {
	set := func(f func(*warren.Tracing, value)) func(*Settings, value) {
		return func(s *Settings, v value) { f(&s.Options.Tracing, v) }
	}
	return []Key{
		{Name: "tracing.otlp.endpoint", Type: secret(),
			Meaning: "URL of a collector that takes OTLP over HTTP; default none",
			set: set(func(t *warren.Tracing, v value) {
				t.Endpoint = strings.TrimRight(v.text, "/") + "/v1/traces"
			})},
		{Name: "tracing.otlp.traces_endpoint", Type: secret(),
			Meaning: "the same, of a collector whose path for traces is not /v1/traces",
			set:     set(func(t *warren.Tracing, v value) { t.Endpoint = v.text })},
		{Name: "tracing.otlp.headers", Type: secret(),
			Meaning: "headers that it wants: `key=value`, with commas between",
			set:     set(func(t *warren.Tracing, v value) { t.Headers = v.text })},
		{Name: "tracing.sampler.ratio", Type: fraction(), Default: "0",
			Meaning: "part of the messages without traceparent that begin a trace",
			set:     set(func(t *warren.Tracing, v value) { t.Ratio = v.part })},
		{Name: "tracing.service_name", Type: anyText(), Default: "warren",
			Meaning: "what nodes are called in traces",
			set:     set(func(t *warren.Tracing, v value) { t.Service = v.text })},
	}
}
