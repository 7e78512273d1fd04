package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	for _, c := range []struct {
		environ string // separated by blanks
		want    string
	}{
		{"RABBITMQ_DEFAULT_USER=u RABBITMQ_DEFAULT_PASS=p RABBITMQ_DEFAULT_VHOST=/v",
			"default_pass=p default_user=u default_vhost=/v"},
		{"RABBITMQ_NODE_PORT=5673", "listeners.tcp.default=5673"},
		{"RABBITMQ_NODE_IP_ADDRESS=10.0.0.1", "listeners.tcp.default=10.0.0.1:5672"},
		{"RABBITMQ_NODE_IP_ADDRESS=::1 RABBITMQ_NODE_PORT=7", "listeners.tcp.default=::1:7"},
		{"RABBITMQ_LOG=debug,+color RABBITMQ_LOGS=-", "log.console=true log.level=debug"},
		{"RABBITMQ_LOGS=/var/log/x.log", "log.file=/var/log/x.log"},
		{"RABBITMQ_DEFAULT_USER= RABBITMQ_NODENAME=rabbit@a", "node_name=rabbit@a"},
		{"WARREN_HEARTBEAT=7 WARREN_VM_MEMORY_HIGH_WATERMARK_RELATIVE=0.5",
			"heartbeat=7 vm_memory_high_watermark.relative=0.5"},
		{"WARREN_LISTENERS_TCP_DEFAULT=1", "listeners.tcp.default=1"},
		{"WARREN_LISTENERS_TCP_MINE=1", "listeners.tcp.mine=1"},
		{"WARREN_DEFAULT_USERS_ANN_VHOST_PATTERN=x", "default_users.ann.vhost_pattern=x"},
		{"WARREN_DEFAULT_POLICIES_OPERATOR_A_MAX_LENGTH_BYTES=5",
			"default_policies.operator.a.max_length_bytes=5"},
		// Kubernetes' for services called warren and rabbitmq, and what means nothing here.
		{"WARREN_PORT=tcp://10.0.0.1:5672 WARREN_SERVICE_HOST=x WARREN_PORT_5672_TCP_ADDR=y " +
			"RABBITMQ_PORT=tcp://10.0.0.1:5672 RABBITMQ_ERLANG_COOKIE=x", ""},
		{"WARREN_HEARTBEET=7", "! WARREN_HEARTBEET: it has no effect: no key is called so; " +
			"did you mean WARREN_HEARTBEAT?"},
		{"RABBITMQ_DIST_PORT=1", "! RABBITMQ_DIST_PORT: it has no effect: a node runs alone"},
	} {
		loaded, err := Load(Sources{Environ: strings.Fields(c.environ), Root: t.TempDir()})
		if err != nil {
			t.Errorf("%s: %v", c.environ, err)
			continue
		}
		var got []string
		for _, s := range loaded.Given() {
			got = append(got, s.Name+"="+s.Text)
		}
		for _, w := range loaded.Warnings() {
			got = append(got, fmt.Sprint("! ", w))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", c.environ, strings.Join(got, " "), c.want)
		}
	}
}

// TestUsualPlaces has files where a system has them.
func TestUsualPlaces(t *testing.T) {
	root := t.TempDir()
	files := func(environ ...string) (found []string) {
		t.Helper()
		c, err := Load(Sources{Root: root, Environ: environ})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range c.Files() {
			found = append(found, strings.TrimPrefix(file, root))
		}
		for _, w := range c.Warnings() {
			found = append(found, "! "+strings.TrimPrefix(w.Place, root))
		}
		return found
	}
	check := func(want []string, environ ...string) {
		t.Helper()
		if got := files(environ...); !slices.Equal(got, want) {
			t.Errorf("%v: got %q, want %q", environ, got, want)
		}
	}
	check(nil)
	write(t, root, "etc/rabbitmq/conf.d/20-b.conf", "heartbeat = 20")
	write(t, root, "etc/rabbitmq/conf.d/10-a.conf", "heartbeat = 10")
	write(t, root, "etc/rabbitmq/advanced.config", "[].")
	check([]string{"/etc/rabbitmq/conf.d/10-a.conf", "/etc/rabbitmq/conf.d/20-b.conf",
		"! /etc/rabbitmq/advanced.config"})
	write(t, root, "etc/rabbitmq/rabbitmq.conf", "heartbeat = 1")
	check([]string{"/etc/rabbitmq/rabbitmq.conf", "/etc/rabbitmq/conf.d/10-a.conf",
		"/etc/rabbitmq/conf.d/20-b.conf", "! /etc/rabbitmq/advanced.config"})
	write(t, root, "etc/warren/warren.conf", "heartbeat = 2")
	check([]string{"/etc/warren/warren.conf"})
	mine := write(t, root, "mine.conf", "heartbeat = 3")
	check([]string{"/mine.conf"}, "RABBITMQ_CONFIG_FILE="+strings.TrimSuffix(mine, ".conf"))
	check([]string{"/mine.conf"}, "WARREN_CONFIG_FILE="+mine)
	check([]string{"/etc/rabbitmq/conf.d/10-a.conf"},
		"RABBITMQ_CONFIG_FILES="+root+"/etc/rabbitmq/conf.d/1*.conf")
	none := []string{"WARREN_CONFIG_FILE=" + root + "/none"}
	if _, err := Load(Sources{Environ: none}); err == nil {
		t.Error("a file that is named and not there was not missed")
	}
}
