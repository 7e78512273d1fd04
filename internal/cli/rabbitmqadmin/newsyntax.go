package rabbitmqadmin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

// Exit codes of the new syntax.
const (
	exitNewUsage    = 64
	exitData        = 65
	exitUnavailable = 69
	exitSoftware    = 70
)

// plain writes names in one way: both new_names and new-names are understood.
func plain(word string) string { return strings.ReplaceAll(word, "-", "_") }

func groupNames() []string {
	var names []string
	for _, a := range actions() {
		if !slices.Contains(names, a.group) {
			names = append(names, a.group)
		}
	}
	return names
}

// inverted are the forms with the verb first, such as `declare queue --name q`, as group and verb.
func inverted(verb, noun string) (group, newVerb string) {
	noun = plain(noun)
	switch verb + " " + noun {
	case "close connection":
		return "connections", "close"
	case "rebalance queues":
		return "queues", "rebalance"
	}
	for _, a := range actions() {
		if a.verb == verb && (a.group == noun || singular(a.group) == noun) {
			return a.group, a.verb
		}
	}
	return "", ""
}

func singular(group string) string {
	if stem, ok := strings.CutSuffix(group, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(group, "s")
}

// isNew tells the new syntax from the old. Where both have the same words, what follows decides:
// the old one has name=value, the new one --name value.
func isNew(args []string) bool {
	words, flags := split(args)
	if len(words) == 0 {
		return false
	}
	if len(words) > 1 && words[0] == "publish" && words[1] == "message" ||
		len(words) > 1 && words[0] == "get" && words[1] == "messages" {
		return true
	}
	if words[0] == "show" && len(words) > 1 && plain(words[1]) == "churn" {
		return true
	}
	if words[0] != "show" && words[0] != "publish" && words[0] != "get" &&
		slices.Contains(groupNames(), plain(words[0])) {
		return true
	}
	if len(words) < 2 {
		return false
	}
	group, verb := inverted(words[0], words[1])
	return group != "" && verb != "list" && len(words) == 2 && len(flags) > 0 ||
		words[0] == "rebalance"
}

// split finds the words among the options of the old syntax, and the options that it has not.
func split(args []string) (words, unknown []string) {
	for i := 0; i < len(args); i++ {
		word := args[i]
		if !strings.HasPrefix(word, "-") || word == "-" {
			words = append(words, word)
			continue
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		at := slices.IndexFunc(globals(), func(o option) bool {
			return o.long == name || o.letter == name
		})
		if at < 0 {
			unknown = append(unknown, word)
			at = slices.IndexFunc(globals(), func(o option) bool {
				return len(word) > 2 && word[1] != '-' && o.letter == name[:1]
			})
			if at < 0 && !hasValue && strings.HasPrefix(word, "--") {
				i++ // its value
			}
			continue
		}
		if !hasValue && !globals()[at].isSwitch {
			i++
		}
	}
	return words, unknown
}

// globals are the options that stand before a group, or anywhere.
func globals() []option {
	return append(optionList(),
		option{"", "use-tls", "ssl", true, ""},
		option{"", "tls-ca-cert-file", "ssl_ca_cert_file", false, ""},
		option{"", "tls-cert-file", "ssl_cert_file", false, ""},
		option{"", "tls-key-file", "ssl_key_file", false, ""},
		option{"", "disable-peer-verification", "ssl_insecure", true, ""},
		option{"", "insecure", "ssl_insecure", true, ""},
		option{"", "non-interactive", "non_interactive", true, ""},
		option{"", "table-style", "table_style", false, ""},
		option{"", "timeout", "request_timeout", false, ""},
	)
}

// runNew does what the new syntax asks for.
func (p *program) runNew(ctx context.Context, args []string) error {
	o := defaults()
	p.options = o
	if err := o.environment(); err != nil {
		return err
	}
	words, own, err := o.takeGlobals(args)
	if err != nil {
		return coded(exitNewUsage, err)
	}
	if o.help {
		p.printHelp()
		return nil
	}
	if err := o.complete(); err != nil {
		return coded(exitNewUsage, err)
	}
	a, err := findAction(words)
	if err != nil {
		return coded(exitNewUsage, err)
	}
	values, err := a.values(own)
	if err != nil {
		return coded(exitNewUsage, err)
	}
	if err := p.connect(); err != nil {
		return coded(exitNewUsage, err)
	}
	defer p.api.Close()
	if a.do != nil {
		return newFailure(a.do(p, ctx, values))
	}
	return newFailure(p.perform(ctx, a, values))
}

// coded gives an error the exit code of the new syntax.
func coded(code int, err error) error { return &failure{text: err.Error(), code: code} }

// newFailure gives an error of the API its exit code.
func newFailure(err error) error {
	var known *failure
	switch status := apiclient.Status(err); {
	case err == nil, errors.As(err, &known):
		return err
	case apiclient.IsUnreachable(err):
		return coded(exitUnavailable, err)
	case status >= http.StatusBadRequest && status < http.StatusInternalServerError:
		return coded(exitData, err)
	}
	return coded(exitSoftware, err)
}

// environment takes RABBITMQADMIN_* into account: a flag wins over it, and it over the file.
func (o *options) environment() error {
	for _, g := range globals() {
		name := "RABBITMQADMIN_" + strings.ToUpper(plain(g.long))
		value, ok := os.LookupEnv(name)
		if !ok {
			continue
		}
		if g.isSwitch {
			if on, err := strconv.ParseBool(value); err != nil || !on {
				continue
			}
		}
		if err := o.give(g, value); err != nil {
			return err
		}
	}
	return nil
}

// takeGlobals takes the options of all actions out of the arguments.
func (o *options) takeGlobals(args []string) (words, own []string, err error) {
	short := map[string]string{"-k": "--disable-peer-verification", "-s": "--table-style"}
	for i := 0; i < len(args); i++ {
		word := args[i]
		if long, ok := short[word]; ok {
			word = long
		}
		name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
		at := -1
		if strings.HasPrefix(word, "-") {
			long := strings.HasPrefix(word, "--")
			at = slices.IndexFunc(globals(), func(g option) bool {
				return long && plain(g.long) == plain(name) || !long && g.letter == name
			})
		}
		if ownFlag(words, name) {
			at = -1 // after the group, --password is the one of the user it is about
		}
		switch {
		case at < 0 && strings.HasPrefix(word, "--"):
			own = append(own, word)
			if !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
				i++
				own[len(own)-1] += "=" + args[i]
			}
			continue
		case at < 0 && strings.HasPrefix(word, "-"):
			return nil, nil, usage("unexpected argument '%s' found", word)
		case at < 0:
			words = append(words, word)
			continue
		case !hasValue && !globals()[at].isSwitch:
			if i++; i == len(args) {
				return nil, nil, usage("a value is required for '%s' but none was supplied", word)
			}
			value = args[i]
		}
		if err := o.give(globals()[at], value); err != nil {
			return nil, nil, err
		}
	}
	return words, own, nil
}

// ownFlag reports whether the action that the words name so far has a flag of that name.
func ownFlag(words []string, name string) bool {
	if len(words) < 2 {
		return false
	}
	a, err := findAction(words)
	return err == nil && slices.ContainsFunc(a.flags, func(text string) bool {
		return parseSpec(text).name == plain(name)
	})
}

func findAction(words []string) (action, error) {
	if len(words) == 0 {
		return action{}, usage("a group is expected: %s", strings.Join(groupNames(), " "))
	}
	group, verb := plain(words[0]), ""
	if len(words) > 1 {
		verb = plain(words[1])
		if g, v := inverted(words[0], words[1]); g != "" {
			group, verb = g, v
		}
	}
	if len(words) > 2 {
		return action{}, usage("unexpected argument '%s' found", words[2])
	}
	var verbs []string
	for _, a := range actions() {
		if a.group != group {
			continue
		}
		if plain(a.verb) == verb {
			return a, nil
		}
		verbs = append(verbs, a.verb)
	}
	return action{}, usage("'%s' has the subcommands: %s", group, strings.Join(verbs, " "))
}

// flagSpec is a flag of an action, taken apart.
type flagSpec struct {
	name, kind, value, field string
	required, hasDefault     bool
}

func parseSpec(text string) flagSpec {
	var f flagSpec
	text, f.field, _ = strings.Cut(text, ">")
	text, f.value, f.hasDefault = strings.Cut(text, "=")
	text, f.required = strings.CutSuffix(text, "!")
	f.name, f.kind, _ = strings.Cut(text, ":")
	if f.field == "" {
		f.field = f.name
	}
	return f
}

// values reads the flags of an action.
func (a action) values(own []string) (*dict, error) {
	values := newDict()
	given := map[string]string{}
	for _, word := range own {
		name, value, has := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if !has {
			value = "true"
		}
		given[plain(name)] = value
	}
	for _, text := range a.flags {
		f := parseSpec(text)
		value, ok := given[f.name]
		delete(given, f.name)
		if !ok && f.required {
			return nil, usage("the following required arguments were not provided: --%s",
				strings.ReplaceAll(f.name, "_", "-"))
		}
		if !ok && !f.hasDefault {
			continue
		}
		if !ok {
			value = f.value
		}
		parsed, err := f.parse(value)
		if err != nil {
			return nil, err
		}
		values.set(f.name, parsed)
	}
	for name := range given {
		return nil, usage("unexpected argument '--%s' found", strings.ReplaceAll(name, "_", "-"))
	}
	return values, nil
}

func (f flagSpec) parse(value string) (any, error) {
	wrong := func() error {
		return usage("invalid value '%s' for '--%s'", value, strings.ReplaceAll(f.name, "_", "-"))
	}
	switch f.kind {
	case "bool":
		on, err := strconv.ParseBool(value)
		if err != nil {
			return nil, wrong()
		}
		return on, nil
	case "int":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil {
			return nil, wrong()
		}
		return json.Number(value), nil
	case "json":
		parsed, err := loads([]byte(value))
		if err != nil {
			return nil, wrong()
		}
		return parsed, nil
	}
	return value, nil
}

// perform sends the request of an action and prints the answer.
func (p *program) perform(ctx context.Context, a action, values *dict) error {
	vhost := p.options.vhost
	if vhost == "" && strings.Contains(a.path, "{vhost}") {
		vhost = p.options.declareVHost
	}
	path, used := newPath(a.path, vhost, values)
	request := apiclient.Request{Method: a.method, Path: path}
	if a.method == put || a.method == post {
		request.Body = strings.NewReader(dumps(a.body(values, used, vhost)))
	}
	if reason, ok := values.get("reason").(string); ok {
		request.Header = http.Header{"X-Reason": {reason}}
	}
	var answer []byte
	err := p.api.Do(ctx, request, &answer)
	if values.get("idempotently") == true && apiclient.IsNotFound(err) {
		return nil
	}
	if err != nil || a.method == put || a.method == del {
		return err
	}
	if len(answer) == 0 {
		return nil
	}
	return p.printNew(answer, a.columns)
}

// newPath puts flags into a path; a segment with a question mark is left out when it is not
// given.
func newPath(template, vhost string, values *dict) (path string, used []string) {
	for segment := range strings.SplitSeq(strings.TrimPrefix(template, "/"), "/") {
		name, isFlag := strings.CutPrefix(segment, "{")
		if !isFlag {
			path += "/" + segment
			continue
		}
		name = strings.TrimSuffix(name, "}")
		name, optional := strings.CutSuffix(name, "?")
		text := fmt.Sprint(values.get(name))
		switch {
		case name == "vhost":
			text = vhost
		case name == "destination_char":
			kind, _ := values.get("destination_type").(string)
			text = kind[:min(1, len(kind))]
		case values.get(name) == nil:
			text = ""
		}
		used = append(used, name)
		if text != "" || !optional {
			path += apiclient.Path(text)
		}
	}
	return path, used
}

// body puts the flags that the path has not into an object.
func (a action) body(values *dict, used []string, vhost string) *dict {
	body := newDict()
	if strings.HasPrefix(a.path, "/parameters") {
		body.set("vhost", vhost)
		used = nil // the API wants them repeated
	}
	for _, text := range a.flags {
		f := parseSpec(text)
		value, ok := values.values[f.name]
		if !ok || slices.Contains(used, f.name) || f.name == "idempotently" {
			continue
		}
		if outer, inner, nested := strings.Cut(f.field, "."); nested {
			object, _ := body.get(outer).(*dict)
			if object == nil {
				object, _ = values.get(outer).(*dict)
			}
			if object == nil {
				object = newDict()
			}
			if _, given := object.values[inner]; !given {
				object.set(inner, value)
			}
			values.set(outer, object)
			body.set(outer, object)
			continue
		}
		body.set(f.field, value)
	}
	return body
}
