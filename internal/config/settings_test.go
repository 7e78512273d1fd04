package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren"
)

// meaning is what lines, separated by |, make of the options.
type meaning struct {
	lines string
	check func(s Settings) any
	want  any
}

// TestKeysMeanOptions has lines, and the options that they set.
func TestKeysMeanOptions(t *testing.T) {
	file := write(t, t.TempDir(), "pem", "")
	all := slices.Concat(placeMeanings(file), accessMeanings(), otherMeanings(file))
	for _, c := range all {
		text := strings.ReplaceAll(strings.ReplaceAll(c.lines, "|", "\n"), "FILE", file)
		if got := c.check(mustLoad(t, text).Settings()); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.lines, got, c.want)
		}
	}
}

func placeMeanings(file string) []meaning {
	listen := func(s Settings) any {
		return append([]string{s.Options.Listen}, s.Options.ListenMore...)
	}
	api := func(s Settings) any { return s.Options.Management }
	return []meaning{
		{"listeners.tcp.1 = 127.0.0.1:1|listeners.tcp.2 = ::1:2|listeners.tcp.10 = :::3",
			listen,
			[]string{"127.0.0.1:1", "[::1]:2", "[::]:3"}},
		{"listeners.tcp.default = 5672|listeners.tcp.1 = 127.0.0.1:1",
			listen,
			[]string{":5672", "127.0.0.1:1"}},
		{"listeners.ssl.1 = 5671|ssl_options.certfile = FILE|ssl_options.keyfile = FILE|" +
			"ssl_options.cacertfile = FILE|ssl_options.verify = verify_peer|" +
			"ssl_options.depth = 0|" +
			"ssl_options.fail_if_no_peer_cert = true|ssl_options.versions.1 = tlsv1.3",
			func(s Settings) any { return s.Options.TLS },
			warren.TLS{Listen: []string{":5671"}, CertFile: file, KeyFile: file, CAFile: file,
				VerifyPeer: true, RequirePeer: true, Depth: -1, Versions: []string{"tlsv1.3"}}},
		{"", api, "127.0.0.1:15672"},
		{"management.tcp.port = 15672", api, ":15672"},
		{"management.tcp.ip = 10.0.0.1", api,
			"10.0.0.1:15672"},
		{"management.listener.port = 15673", api,
			":15673"},
		{"management.listen = off", api, ""},
		{"management.listen = 127.0.0.1:7|management.tcp.port = 8", api, "127.0.0.1:7"},
		{"management.listener.port = 8|management.listen = off", api, ""},
		{"management.listener.port = 15671|management.listener.ssl = true|" +
			"management.listener.ssl_opts.certfile = FILE|" +
			"management.listener.ssl_opts.keyfile = FILE",
			func(s Settings) any { return []any{s.Options.Management, s.Options.Web.TLS.Listen} },
			[]any{"", []string{":15671"}}},
		{"management.ssl.port = 1|management.ssl.certfile = FILE|management.ssl.keyfile = FILE",
			func(s Settings) any { return []any{s.Options.Management, s.Options.Web.TLS.Listen} },
			[]any{"127.0.0.1:15672", []string{":1"}}},
		{"prometheus.tcp.port = 7", func(s Settings) any { return s.Options.Metrics.Listen }, ":7"},
	}
}

func accessMeanings() []meaning {
	loopback := func(s Settings) any { return s.Options.Access.LoopbackUsers }
	return []meaning{
		{"loopback_users.guest = false", loopback,
			[]string{}},
		{"loopback_users = none", loopback,
			[]string{}},
		{"loopback_users.ann = true", loopback,
			[]string{"guest", "ann"}},
		{"auth_mechanisms.2 = EXTERNAL|auth_mechanisms.1 = PLAIN|auth_mechanisms.10 = AMQPLAIN",
			func(s Settings) any { return s.Options.Access.Mechanisms },
			[]string{"PLAIN", "EXTERNAL", "AMQPLAIN"}},
		{"default_user_tags.administrator = false|default_user_tags.monitoring = true",
			func(s Settings) any { return s.Options.Seed.Tags }, []string{"monitoring"}},
		{"default_users.a.vhost_pattern = banana|default_users.a.tags = administrator, operator|" +
			"default_users.a.password = SECRET|default_users.a.read = .*",
			func(s Settings) any { return s.Options.Seed.Users },
			[]warren.SeedUser{{Name: "a", Password: "SECRET", Pattern: "banana",
				Tags: []string{"administrator", "operator"}, Read: ".*"}}},
		{"default_limits.vhosts.a.pattern = banana|default_limits.vhosts.a.max_queues = 10",
			func(s Settings) any { return s.Options.Seed.VHostLimits },
			[]warren.SeedLimits{{Name: "a", Pattern: "banana", Queues: 10}}},
		{"default_policies.operator.a.expires = 1h|" +
			"default_policies.operator.a.max_length_bytes = 1k|" +
			"default_policies.operator.a.queue_pattern = apple|" +
			"default_policies.operator.a.vhost_pattern = banana|" +
			"default_policies.operator.a.apply_to = quorum_queues",
			func(s Settings) any { return s.Options.Seed.OperatorPolicies },
			[]warren.SeedPolicy{{Name: "a", VHosts: "banana", Queues: "apple",
				ApplyTo: "quorum_queues",
				Definition: map[string]any{
					"expires": int64(3600000), "max-length-bytes": int64(1024),
				}}}},
	}
}

func otherMeanings(file string) []meaning {
	return []meaning{
		{"max_connections = 10|channel_max = 0|cluster_queue_limit = 3|vhost_max = infinity",
			func(s Settings) any { return s.Options.Limits },
			warren.Limits{FrameMax: 131072, ChannelMax: 65535, Connections: 10, Channels: -1,
				Consumers: -1, VHosts: -1, Queues: 3, Exchanges: -1}},
		{"consumer_timeout = 20000", func(s Settings) any { return s.Options.ConsumerTimeout },
			20 * time.Second},
		{"disk_free_limit.relative = 1.0|disk_free_limit.absolute = 50000",
			func(s Settings) any { return s.Options.DiskFreeLimit }, warren.Amount{Bytes: 50000}},
		{"tcp_listen_options.backlog = 128|tcp_listen_options.nodelay = false|" +
			"tcp_listen_options.sndbuf = 196608|tcp_listen_options.keepalive = true",
			func(s Settings) any { return s.Options.Sockets },
			warren.Sockets{Backlog: 128, Delay: true, SendBuffer: 196608}},
		{"load_definitions = FILE|definitions.skip_if_unchanged = true",
			func(s Settings) any { return s.Options.Import },
			warren.Import{Paths: []string{file}, SkipUnchanged: true}},
		{"log.console.level = warning|log.file = w.log|log.file.level = debug|" +
			"log.file.rotation.size = 10MB|log.file.rotation.date = $D0|" +
			"log.file.formatter = json|" +
			"log.console = false|log.dir = /logs",
			func(s Settings) any { return s.Log },
			Log{Console: Output{Level: slog.LevelWarn},
				File: Output{On: true, Level: slog.LevelDebug, JSON: true},
				Path: "w.log", Dir: "/logs",
				Rotation: Rotation{Size: 10e6, Count: 10, Date: Date{Every: 'D'}}}},
	}
}

func TestWhatWouldBeLessSafeThanRabbitMQIsRefused(t *testing.T) {
	for _, line := range []string{
		"listeners.tcp = none", "proxy_protocol = true", "auth_backends.1 = ldap",
		"auth_backends.1.authz = rabbit_auth_backend_ip_range", "ssl_options.password = hunter2",
		"ssl_options.versions.1 = tlsv1", "listeners.ssl.1 = 5671", "auth_mechanisms.1 = ANONYMOUS",
		"default_permissions.write = (?=x)", "listeners.tcp.default = 65536",
		"default_user = encrypted:x", "frame_max = 1",
	} {
		if _, err := load(t, line); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{"proxy_protocol = false", "listeners.ssl = none",
		"auth_backends.1 = internal", "auth_backends.1.authn = rabbit_auth_backend_internal"} {
		if c := mustLoad(t, line); len(c.Warnings()) > 0 {
			t.Errorf("%s: %v", line, c.Warnings())
		}
	}
}

// TestDefaultsAreThoseOfTheNode compares the defaults of the table with those of a node that is
// told nothing, where it tells them.
func TestDefaultsAreThoseOfTheNode(t *testing.T) {
	o := mustLoad(t, "").Settings().Options
	if want := (warren.Options{}).MemoryMax(); o.MemoryMax() != want {
		t.Errorf("publishers are blocked at %d, want %d", o.MemoryMax(), want)
	}
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
}

// TestExamplesAreGood checks the configurations that are shipped.
func TestExamplesAreGood(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"username": "u", "password": "p", "d.json": "{}"} {
		write(t, dir, name, text)
	}
	for _, example := range []string{
		"docker/warren.conf", "systemd/warren.conf", "kubernetes/warren.conf",
	} {
		b, err := os.ReadFile(filepath.Join("../../packaging", example))
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("/run/secrets/warren", dir,
			"/etc/warren/definitions.json", filepath.Join(dir, "d.json")).Replace(string(b))
		c, err := load(t, text)
		if err != nil || len(c.Warnings()) > 0 {
			t.Errorf("%s: %v, %v", example, err, c.Warnings())
		}
	}
}
