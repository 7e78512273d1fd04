package rabbitmqadmin

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// options are what flags, a configuration file and defaults come to.
type options struct {
	config, node, host, port, prefix string
	vhost, declareVHost              string
	username, password, baseURI      string
	tls, insecure, skipHost          bool
	keyFile, certFile, caFile        string
	timeout                          int
	format, sort, depth              string
	verbose, reverse                 bool
	completion, version, help        bool
	nonInteractive                   bool
	tableStyle                       string
	given                            map[string]bool
}

// option is a flag: its letter and name, and the key it has in a configuration file. A switch
// takes no value.
type option struct {
	letter, long, key string
	isSwitch          bool
	help              string
}

func optionList() []option {
	return []option{
		{"c", "config", "config", false, "configuration file [default: ~/.rabbitmqadmin.conf]"},
		{"N", "node", "node", false, "node described in the configuration file [default: default]"},
		{"H", "host", "hostname", false, "connect to host HOST [default: localhost]"},
		{"P", "port", "port", false, "connect to port PORT [default: 15672]"},
		{"", "path-prefix", "path_prefix", false, "path before /api [default: none]"},
		{"V", "vhost", "vhost", false, "vhost [default: all for list, / for declare]"},
		{"u", "username", "username", false, "user [default: guest]"},
		{"p", "password", "password", false, "password [default: guest]"},
		{"U", "base-uri", "base_uri", false, "URI of the HTTP API, without a path"},
		{"q", "quiet", "verbose", true, "suppress status messages"},
		{"s", "ssl", "ssl", true, "connect with TLS"},
		{"", "ssl-key-file", "ssl_key_file", false, "PEM file of the client's key"},
		{"", "ssl-cert-file", "ssl_cert_file", false, "PEM file of the client's certificate"},
		{"", "ssl-ca-cert-file", "ssl_ca_cert_file", false, "PEM file of authorities"},
		{"", "ssl-disable-hostname-verification", "ssl_disable_hostname_verification", true,
			"take a certificate for any host"},
		{"k", "ssl-insecure", "ssl_insecure", true, "take any certificate"},
		{"t", "request-timeout", "request_timeout", false, "seconds [default: 120]"},
		{"f", "format", "format", false,
			"one of " + strings.Join(formats(), ", ") + " [default: table]"},
		{"S", "sort", "sort", false, "column to sort by"},
		{"R", "sort-reverse", "sort_reverse", true, "sort the other way"},
		{"d", "depth", "depth", false, "how deep lists are taken apart [default: 1]"},
		{"", "bash-completion", "bash_completion", true, "refused: see warren completion"},
		{"", "version", "version", true, "show the version"},
		{"h", "help", "help", true, "show this text"},
	}
}

func defaults() *options {
	return &options{
		host: "localhost", port: "15672", node: "default", declareVHost: "/",
		username: "guest", password: "guest", timeout: 120, verbose: true, format: "table",
		depth: "1", tableStyle: "modern", given: map[string]bool{},
	}
}

// usageError is a mistake in the call, with rabbitmqadmin's exit code for it.
type usageError struct {
	text string
	code int
}

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), exitFailure}
}

// misuse is what the parser of options refuses.
func misuse(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...), exitMisuse}
}

// set gives an option a value. Text of a switch is "True" or "False", as in the file.
func (o *options) set(key, value string) error {
	on := value == "True" || value == "true"
	texts := map[string]*string{
		"config": &o.config, "node": &o.node, "hostname": &o.host, "port": &o.port,
		"path_prefix": &o.prefix, "vhost": &o.vhost, "declare_vhost": &o.declareVHost,
		"username": &o.username, "password": &o.password, "base_uri": &o.baseURI,
		"ssl_key_file": &o.keyFile, "ssl_cert_file": &o.certFile, "ssl_ca_cert_file": &o.caFile,
		"format": &o.format, "sort": &o.sort, "depth": &o.depth, "table_style": &o.tableStyle,
	}
	switches := map[string]*bool{
		"ssl": &o.tls, "ssl_insecure": &o.insecure, "sort_reverse": &o.reverse,
		"ssl_disable_hostname_verification": &o.skipHost, "bash_completion": &o.completion,
		"version": &o.version, "help": &o.help, "non_interactive": &o.nonInteractive,
		"verbose": &o.verbose,
	}
	if text, ok := texts[key]; ok {
		*text = value
	} else if toggle, ok := switches[key]; ok {
		*toggle = on
	} else if key == "request_timeout" {
		seconds, err := strconv.Atoi(value)
		if err != nil {
			return misuse("option -t: invalid integer value: '%s'", value)
		}
		o.timeout = seconds
	}
	return nil
}

// parse reads options, which may stand anywhere, and returns the other words.
func parse(args []string) (o *options, words []string, err error) {
	o = defaults()
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch {
		case word == "--":
			words = append(words, args...)
			args = nil
		case strings.HasPrefix(word, "--"):
			args, err = o.long(word[2:], args)
		case len(word) > 1 && word[0] == '-':
			args, err = o.short(word[1:], args)
		default:
			words = append(words, word)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return o, words, nil
}

func (o *options) long(word string, args []string) ([]string, error) {
	name, value, has := strings.Cut(word, "=")
	var matching []option
	for _, candidate := range optionList() {
		if candidate.long == name {
			matching = []option{candidate}
			break
		}
		if strings.HasPrefix(candidate.long, name) {
			matching = append(matching, candidate)
		}
	}
	if len(matching) != 1 {
		return nil, misuse("no such option: --%s", name)
	}
	found := matching[0]
	switch {
	case found.isSwitch && has:
		return nil, misuse("--%s option does not take a value", found.long)
	case found.isSwitch:
		return args, o.give(found, "")
	case !has && len(args) == 0:
		return nil, misuse("--%s option requires 1 argument", found.long)
	case !has:
		value, args = args[0], args[1:]
	}
	return args, o.give(found, value)
}

func (o *options) short(letters string, args []string) ([]string, error) {
	for letters != "" {
		letter := letters[:1]
		letters = letters[1:]
		at := slices.IndexFunc(optionList(), func(c option) bool { return c.letter == letter })
		if at < 0 {
			return nil, misuse("no such option: -%s", letter)
		}
		found := optionList()[at]
		if found.isSwitch {
			if err := o.give(found, ""); err != nil {
				return nil, err
			}
			continue
		}
		if letters == "" {
			if len(args) == 0 {
				return nil, misuse("-%s option requires 1 argument", letter)
			}
			letters, args = args[0], args[1:]
		}
		return args, o.give(found, letters)
	}
	return args, nil
}

func (o *options) give(found option, value string) error {
	o.given[found.key] = true
	if found.isSwitch {
		value = "True"
		if found.long == "quiet" {
			value = "False"
		}
	}
	return o.set(found.key, value)
}

// complete adds what the configuration file and the base URI say.
func (o *options) complete() error {
	if o.config == "" {
		home := os.Getenv("USERPROFILE")
		if home == "" {
			home = os.Getenv("HOME")
		}
		path := filepath.Join(home, ".rabbitmqadmin.conf")
		if info, err := os.Stat(path); home != "" && err == nil && !info.IsDir() {
			o.config = path
		}
	} else if info, err := os.Stat(o.config); err != nil || info.IsDir() {
		return usage("Could not read config file '%s'", o.config)
	}
	if o.config != "" {
		if err := o.readConfig(); err != nil {
			return err
		}
	}
	if o.baseURI == "" {
		return nil
	}
	u, err := url.Parse(o.baseURI)
	if err != nil {
		return usage("Could not read the base URI")
	}
	if u.Hostname() != "" {
		o.host = u.Hostname()
	}
	if u.Port() != "" {
		o.port = u.Port()
	}
	if u.User != nil {
		o.username = u.User.Username()
		if password, ok := u.User.Password(); ok {
			o.password = password
		}
	}
	o.tls = o.tls || u.Scheme == "https"
	return nil
}

// newNames are the names that the TOML form of the file gives to some keys.
func newNames() map[string]string {
	return map[string]string{
		"tls": "ssl", "use_tls": "ssl", "ca_certificate_bundle_path": "ssl_ca_cert_file",
		"tls_ca_cert_file": "ssl_ca_cert_file", "tls_cert_file": "ssl_cert_file",
		"tls_key_file": "ssl_key_file", "host": "hostname",
		"client_certificate_file_path": "ssl_cert_file",
		"client_private_key_file_path": "ssl_key_file",
	}
}

// readConfig takes the section of the node from the file: INI, or TOML where values have quotes.
func (o *options) readConfig() error {
	text, err := os.ReadFile(o.config)
	if err != nil {
		return usage("Could not read config file '%s'", o.config)
	}
	sections, err := parseConfig(string(text))
	if err != nil {
		return usage("Could not read config file '%s': %s", o.config, err)
	}
	section, ok := sections[o.node]
	if !ok {
		if o.node == "default" {
			return nil
		}
		return usage("Could not read section '%s' in config file '%s':\n   No section: '%s'",
			o.node, o.config, o.node)
	}
	for key, value := range section {
		if renamed, ok := newNames()[key]; ok {
			key = renamed
		}
		if o.given[key] {
			continue
		}
		if err := o.set(key, value); err != nil {
			return err
		}
	}
	return nil
}

var errNoSection = errors.New("a setting stands before the first section")

// parseConfig reads sections of key = value.
func parseConfig(text string) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	var section map[string]string
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' && strings.Contains(line, "]") {
			section = map[string]string{}
			sections[strings.Trim(line[1:strings.LastIndex(line, "]")], "\"' ")] = section
			continue
		}
		at := strings.IndexAny(line, "=:")
		if at < 0 {
			return nil, fmt.Errorf("line %d is no setting", n+1)
		}
		if section == nil {
			return nil, errNoSection
		}
		key := strings.ToLower(strings.TrimSpace(line[:at]))
		section[key] = unquoted(strings.TrimSpace(line[at+1:]))
	}
	return sections, nil
}

// unquoted takes the quotes of TOML away, and what follows them.
func unquoted(value string) string {
	if value == "" || value[0] != '"' && value[0] != '\'' {
		return value
	}
	end := strings.LastIndexByte(value, value[0])
	if end == 0 {
		return value
	}
	if value[0] == '"' {
		if text, err := strconv.Unquote(value[:end+1]); err == nil {
			return text
		}
	}
	return value[1:end]
}
