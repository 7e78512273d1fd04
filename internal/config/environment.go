package config

import (
	"fmt"
	"slices"
	"strings"
)

// Variable is a variable of the environment, RabbitMQ's or OpenTelemetry's.
type Variable struct {
	Name    string
	Key     string // what it stands for; "" when it has no effect
	Ignored string // why it has none; "" for nothing to be said
}

// Variables are those of others that are known here, and one that all commands know. Beside
// them, WARREN_ and a key in capitals, with _ for each dot, sets that key.
func Variables() []Variable {
	const none = "warren has no Erlang machine"
	return []Variable{
		{Name: "RABBITMQ_DEFAULT_USER", Key: "default_user"},
		{Name: "RABBITMQ_DEFAULT_PASS", Key: "default_pass"},
		{Name: "RABBITMQ_DEFAULT_VHOST", Key: "default_vhost"},
		{Name: "WARREN_DATA", Key: "data_dir"},
		{Name: "RABBITMQ_NODENAME", Key: "node_name"},
		{Name: "RABBITMQ_NODE_PORT", Key: "listeners.tcp.default"},
		{Name: "RABBITMQ_NODE_IP_ADDRESS", Key: "listeners.tcp.default"},
		{Name: "RABBITMQ_LOG", Key: "log.level"},
		{Name: "RABBITMQ_LOGS", Key: "log.file"},
		{Name: "RABBITMQ_LOG_BASE", Key: "log.dir"},
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Key: "tracing.otlp.endpoint"},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Key: "tracing.otlp.traces_endpoint"},
		{Name: "OTEL_EXPORTER_OTLP_HEADERS", Key: "tracing.otlp.headers"},
		{Name: "OTEL_SERVICE_NAME", Key: "tracing.service_name"},
		{Name: "RABBITMQ_ERLANG_COOKIE"},
		{Name: "RABBITMQ_ENABLED_PLUGINS_FILE"},
		{Name: "RABBITMQ_ENABLED_PLUGINS"},
		{Name: "RABBITMQ_PLUGINS_DIR"},
		{Name: "RABBITMQ_HOME"},
		{Name: "RABBITMQ_MNESIA_BASE", Ignored: "the data directory is data_dir"},
		{Name: "RABBITMQ_MNESIA_DIR", Ignored: "the data directory is data_dir"},
		{Name: "RABBITMQ_ADVANCED_CONFIG_FILE", Ignored: "Erlang terms are not read"},
		{Name: "RABBITMQ_CONF_ENV_FILE", Ignored: "scripts are not run: set its variables"},
		{Name: "RABBITMQ_DIST_PORT", Ignored: "a node runs alone"},
		{Name: "RABBITMQ_USE_LONGNAME", Ignored: "a node runs alone"},
		{Name: "RABBITMQ_SERVER_ERL_ARGS", Ignored: none},
		{Name: "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", Ignored: none},
		{Name: "RABBITMQ_SERVER_START_ARGS", Ignored: none},
		{Name: "RABBITMQ_IO_THREAD_POOL_SIZE", Ignored: none},
		{Name: "RABBITMQ_FEATURE_FLAGS", Ignored: "all that is there is on"},
		{Name: "RABBITMQ_MOTD_FILE", Ignored: "no message is printed"},
	}
}

// environment returns what variables say, RabbitMQ's first.
func (s *Sources) environment(c *Config) (found []assignment) {
	for _, v := range Variables() {
		text, ok := s.lookup(v.Name)
		switch {
		case !ok || text == "":
		case v.Ignored != "":
			c.warn(v.Name, "it has no effect: %s", v.Ignored)
		case v.Key != "":
			found = append(found, s.rabbit(v, text)...)
		}
	}
	var names []string
	for _, entry := range s.Environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "WARREN_") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if key := c.table.variable(name); key != nil {
			text, _ := s.lookup(name)
			found = append(found, assignment{place: name, key: key, value: text, quoted: true,
				instead: instead(joinKey(key))})
		} else if !elsewhere(name) {
			c.warn(name, "it has no effect: no key is called so%s", c.table.hint(name))
		}
	}
	return found
}

// rabbit is what a variable of RabbitMQ's says, in the words of the key.
func (s *Sources) rabbit(v Variable, text string) []assignment {
	a := assignment{place: v.Name, key: strings.Split(v.Key, "."), value: text, quoted: true,
		instead: instead(v.Key)}
	switch v.Name {
	case "RABBITMQ_NODE_PORT":
		if host, ok := s.lookup("RABBITMQ_NODE_IP_ADDRESS"); ok && host != "" {
			a.value = host + ":" + text
		}
	case "RABBITMQ_NODE_IP_ADDRESS":
		if port, ok := s.lookup("RABBITMQ_NODE_PORT"); ok && port != "" {
			return nil // said by the other
		}
		a.value = text + ":5672"
	case "RABBITMQ_LOG": // such as debug, or debug,+color
		a.value, _, _ = strings.Cut(text, ",")
	case "RABBITMQ_LOGS":
		if text == "-" || text == "-stderr" {
			a.key, a.value = []string{"log", "console"}, "true"
		}
	}
	return []assignment{a}
}

// variable returns the key that WARREN_ and capitals name, or nil. Where a part of the key is any
// word, that word is in small letters and has no _.
func (t *table) variable(name string) []string {
	text := strings.ToLower(strings.TrimPrefix(name, "WARREN_"))
	for i := range t.keys {
		key := t.keys[i].parts()
		if !strings.Contains(t.keys[i].Name, "$") {
			if strings.Join(key, "_") == text {
				return key
			}
			continue
		}
		if filled := fill(key, text); filled != nil {
			return filled
		}
	}
	return nil
}

// fill returns the pattern with its variable parts taken from text, or nil when it does not fit.
func fill(pattern []string, text string) (key []string) {
	for i, part := range pattern {
		last := i == len(pattern)-1
		if strings.HasPrefix(part, "$") {
			if part, text, _ = strings.Cut(text, "_"); part == "" || last && text != "" {
				return nil
			}
			key = append(key, part)
			continue
		}
		rest, ok := strings.CutPrefix(text, part)
		if !ok || last && rest != "" {
			return nil
		}
		if !last {
			if rest, ok = strings.CutPrefix(rest, "_"); !ok {
				return nil
			}
		}
		key, text = append(key, part), rest
	}
	return key
}

// elsewhere reports whether a variable is known and not of the configuration: those of the command
// line, and those that Kubernetes sets for a service called warren.
func elsewhere(name string) bool {
	rest := strings.TrimPrefix(name, "WARREN_")
	switch rest {
	case "CONFIG_FILE", "CONTEXT", "PASSWORD", "DATA", "PORT":
		return true
	}
	for _, prefix := range []string{"PORT_", "SERVICE_", "ACTIVE_HELP", "COMPLETION_"} {
		if strings.HasPrefix(rest, prefix) {
			return true
		}
	}
	return false
}

// hint names the variable that is the most like name.
func (t *table) hint(name string) string {
	var names []string
	for i := range t.keys {
		if !strings.Contains(t.keys[i].Name, "$") {
			names = append(names, VariableOf(t.keys[i].Name))
		}
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// VariableOf returns the variable of the environment that sets a key.
func VariableOf(key string) string {
	return "WARREN_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
