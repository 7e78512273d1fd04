package config

import (
	"math"
	"strconv"
	"time"

	"github.com/warrenmq/warren"
)

// webKeys are where something is served by HTTP, and HTTPS, below a prefix.
func webKeys(prefix string, of func(*Settings) *web, tls func(*Settings) *warren.TLS) []Key {
	port := integer(0, math.MaxUint16)
	keys := []Key{
		{Name: prefix + ".tcp.port", Type: port, Meaning: "RabbitMQ's key for the port",
			set: func(s *Settings, v value) {
				of(s).port, of(s).given = strconv.FormatInt(v.number, 10), true
			}},
		{Name: prefix + ".tcp.ip", Type: ip(), Meaning: "and for the address; default all",
			set: func(s *Settings, v value) { of(s).ip, of(s).given = v.text, true }},
		{Name: prefix + ".ssl.port", Type: port, Meaning: "the port for HTTPS",
			set: func(s *Settings, v value) {
				of(s).securePort = strconv.FormatInt(v.number, 10)
			}},
		{Name: prefix + ".ssl.ip", Type: ip(), Meaning: "and its address; default all",
			set: func(s *Settings, v value) { of(s).secureIP = v.text }},
	}
	return append(keys, tlsKeys(prefix+".ssl", tls)...)
}

// listenKey says both in one, and wins over the keys that say a part: it comes last.
func listenKey(prefix, local string, of func(*Settings) *web) Key {
	return Key{Name: prefix + ".listen", Type: addressOrOff(), Default: local,
		unless:  prefix + ".tcp.",
		Meaning: "where it is served, whatever else says, or off; a port is for all addresses",
		set: func(s *Settings, v value) {
			of(s).listen, of(s).given = v.text, false
		}}
}

func managementKeys() []Key {
	set := func(f func(*warren.Web, value)) func(*Settings, value) {
		return func(s *Settings, v value) { f(&s.Options.Web, v) }
	}
	at := func(s *Settings) *web { return &s.management }
	keys := webKeys("management", at,
		func(s *Settings) *warren.TLS { return &s.Options.Web.TLS })
	keys = append(keys, legacyKeys()...)
	keys = append(keys, listenKey("management", "127.0.0.1:15672", at))
	return append(keys, []Key{
		{Name: "management.path_prefix", Type: anyText(), Meaning: "what stands before all paths",
			set: set(func(w *warren.Web, v value) { w.Prefix = v.text })},
		{Name: "management.http.max_body_size", Type: bytes(), Default: "20000000",
			Meaning: "bytes of the largest request",
			set:     set(func(w *warren.Web, v value) { w.BodyMax = v.number })},
		{Name: "management.http_log_dir", Type: anyText(), Meaning: "folder for a log of requests",
			Ignored: "requests have no log of their own", set: nothing},
		{Name: "management.cors.allow_origins.$number", Type: anyText(),
			Meaning: "an origin of pages that may use the API from a browser; * for all",
			set: set(func(w *warren.Web, v value) {
				w.Origins = append(w.Origins, v.text)
			})},
		{Name: "management.cors.max_age", Type: timeOf(time.Second, math.MaxInt32),
			Meaning: "how long browsers may remember that",
			Ignored: "browsers are not told", set: nothing},
		{Name: "management.rates_mode", Type: oneOf("none", "basic", "detailed"),
			Default: "basic", Meaning: "which rates are shown",
			set: set(func(w *warren.Web, v value) { w.Rates = v.text })},
		{Name: "management.disable_stats", Also: "management_agent.disable_metrics_collector",
			Type: boolean(), Default: "false", Meaning: "no statistics are taken, nor shown",
			set: set(func(w *warren.Web, v value) { w.DisableStats = v.on })},
		{Name: "management.enable_queue_totals", Type: boolean(), Default: "false",
			Meaning: "without statistics, queues say all the same how many messages they have",
			set:     set(func(w *warren.Web, v value) { w.QueueTotals = v.on })},
		{Name: "collect_statistics_interval", Type: timeOf(time.Millisecond, math.MaxInt32),
			Default: "5000", Meaning: "pause between samples of statistics",
			set: set(func(w *warren.Web, v value) { w.Interval = v.duration() })},
	}...)
}

// legacyKeys are RabbitMQ's older names, where plain HTTP and HTTPS had the same.
func legacyKeys() []Key {
	const prefix = "management.listener"
	keys := []Key{
		{Name: prefix + ".port", Type: integer(0, math.MaxUint16),
			Meaning: "older name of management.tcp.port",
			set: func(s *Settings, v value) {
				s.management.port, s.management.given = strconv.FormatInt(v.number, 10), true
			}},
		{Name: prefix + ".ip", Type: ip(), Meaning: "older name of management.tcp.ip",
			set: func(s *Settings, v value) { s.management.ip, s.management.given = v.text, true }},
		{Name: prefix + ".ssl", Type: boolean(), Default: "false",
			Meaning: "whether HTTPS is served there, and no plain HTTP",
			set:     func(s *Settings, v value) { s.management.legacyTLS = v.on }},
	}
	return append(keys, tlsKeys(prefix+".ssl_opts",
		func(s *Settings) *warren.TLS { return &s.Options.Web.TLS })...)
}

func prometheusKeys() []Key {
	at := func(s *Settings) *web { return &s.prometheus }
	keys := webKeys("prometheus", at,
		func(s *Settings) *warren.TLS { return &s.Options.Metrics.TLS })
	return append(keys, []Key{
		listenKey("prometheus", "127.0.0.1:15692", at),
		{Name: "prometheus.path", Type: anyText(), Default: "/metrics", Meaning: "where they are",
			set: func(s *Settings, v value) { s.Options.Metrics.Path = v.text }},
		{Name: "prometheus.return_per_object_metrics", Type: boolean(), Default: "false",
			Meaning: "whether each queue, connection and channel has its own, there",
			set:     func(s *Settings, v value) { s.Options.Metrics.PerObject = v.on }},
	}...)
}
