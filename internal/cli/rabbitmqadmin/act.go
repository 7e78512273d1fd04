package rabbitmqadmin

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

// payloadMax is the longest payload read from the standard input, in bytes.
const payloadMax = 512 << 20

// act does one subcommand.
func (p *program) act(ctx context.Context, action string, args []string) error {
	switch action {
	case "help":
		return p.help(args)
	case "list":
		return p.list(ctx, lists(), "list", args)
	case "show":
		return p.list(ctx, shows(), "show", args)
	case "declare":
		return p.change(ctx, declarations(), args, "declared")
	case "delete":
		return p.change(ctx, deletions(), args, "deleted")
	case "close":
		return p.change(ctx, closings(), args, "closed")
	case "purge":
		return p.change(ctx, purges(), args, "purged")
	case "publish":
		return p.publish(ctx, args)
	case "get":
		return p.get(ctx, args)
	case "export":
		return p.export(ctx, args)
	case "import":
		return p.importFile(ctx, args)
	}
	return usage("Action %s not understood", action)
}

func (p *program) list(ctx context.Context, kinds []list, verb string, args []string) error {
	if len(args) == 0 {
		return usage("Type not specified")
	}
	at := slices.IndexFunc(kinds, func(l list) bool { return l.name == args[0] })
	if at < 0 {
		return usage("Don't know how to %s %s", verb, args[0])
	}
	l, o := kinds[at], p.options
	path := "/" + strings.ReplaceAll(l.name, "_", "-")
	if l.vhost && o.vhost != "" {
		path += "/" + plus(o.vhost)
	}
	columns := args[1:]
	// A depth that is given wins over the usual columns, even if it is the usual depth.
	if len(columns) == 0 && !o.given["depth"] && !strings.Contains(o.format, "json") {
		columns = l.columns
	}
	var query []string
	if len(columns) > 0 {
		query = append(query, "columns="+strings.Join(columns, ","))
	}
	if o.sort != "" {
		query = append(query, "sort="+o.sort)
	}
	if o.reverse {
		query = append(query, "sort_reverse=true")
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	answer, err := p.ask(ctx, http.MethodGet, path, "")
	if err != nil {
		return err
	}
	if verb == "show" {
		answer = slices.Concat([]byte("["), answer, []byte("]"))
	}
	return printList(p.out, answer, columns, l.json, o)
}

// change declares, deletes, closes or purges.
func (p *program) change(ctx context.Context, forms []form, args []string, done string) error {
	if len(args) == 0 {
		return usage("Type not specified")
	}
	f, ok := findForm(forms, args[0])
	if !ok {
		return usage("Type %s not recognised", args[0])
	}
	path, upload, err := p.fill(f, args[1:])
	if err != nil {
		return err
	}
	switch {
	case done != "declared":
		_, err = p.ask(ctx, http.MethodDelete, path, "")
	case f.name == "binding":
		_, err = p.ask(ctx, http.MethodPost, path, dumps(upload))
	default:
		_, err = p.ask(ctx, http.MethodPut, path, dumps(upload))
	}
	if err != nil {
		return err
	}
	p.say("%s %s", f.name, done)
	return nil
}

// fill reads arguments of the form name=value, and returns the path and the body that they make.
func (p *program) fill(f form, args []string) (path string, upload *dict, err error) {
	upload = newDict()
	var known []string
	for _, o := range f.optional {
		known = append(known, o.name)
		if o.value != nil {
			upload.set(o.name, o.value)
		}
	}
	for _, alternatives := range f.mandatory {
		known = append(known, alternatives...)
	}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return "", nil, usage("Argument \"%s\" not in the name=value format", arg)
		}
		if !slices.Contains(known, name) {
			return "", nil, usage("Argument \"%s\" is not recognised", name)
		}
		var value any = text
		if slices.Contains(f.json, name) {
			if value, err = loads([]byte(text)); err != nil {
				return "", nil, p.wrongJSON(text)
			}
		}
		upload.set(name, value)
	}
	ownVHost := false
	for _, alternatives := range f.mandatory {
		if !slices.ContainsFunc(alternatives, func(n string) bool { return upload.get(n) != nil }) {
			if len(alternatives) > 1 {
				return "", nil, usage("one of mandatory arguments \"['%s']\" is required",
					strings.Join(alternatives, "', '"))
			}
			return "", nil, usage("mandatory argument \"%s\" is required", alternatives[0])
		}
		ownVHost = ownVHost || alternatives[0] == "vhost"
	}
	if !ownVHost {
		vhost := p.options.vhost
		if vhost == "" {
			vhost = p.options.declareVHost
		}
		upload.set("vhost", vhost)
	}
	path, err = expand(f.uri, upload)
	addQueueType(upload)
	return path, upload, err
}

// expand puts arguments in the place of their names in braces.
func expand(uri string, upload *dict) (string, error) {
	var path strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(uri, "/"), "/") {
		name, isArgument := strings.CutPrefix(segment, "{")
		if !isArgument {
			path.WriteString("/" + segment)
			continue
		}
		name = strings.TrimSuffix(name, "}")
		text := ""
		if name == "destination_char" {
			kind, _ := upload.get("destination_type").(string)
			text = kind[:min(1, len(kind))]
		} else {
			text, _ = upload.get(name).(string)
		}
		if text == "" {
			return "", usage("argument \"%s\" must not be empty", name)
		}
		path.WriteString(apiclient.Path(text))
	}
	return path.String(), nil
}

// addQueueType makes an argument of queue_type.
func addQueueType(upload *dict) {
	kind := upload.get("queue_type")
	if kind == nil {
		return
	}
	arguments := newDict()
	if given, ok := upload.get("arguments").(*dict); ok {
		for _, key := range given.keys {
			arguments.set(key, given.get(key))
		}
	}
	arguments.set("x-queue-type", kind)
	upload.set("arguments", arguments)
}

// wrongJSON says which text is none.
func (p *program) wrongJSON(text string) error {
	fmt.Fprintf(p.stderr, "ERROR: Could not parse JSON:\n  %s\n", text)
	return &failure{}
}

func (p *program) publish(ctx context.Context, args []string) error {
	f, _ := findForm(traffic(), "publish")
	path, upload, err := p.fill(f, args)
	if err != nil {
		return err
	}
	if upload.get("payload") == nil {
		payload, err := io.ReadAll(io.LimitReader(p.in, payloadMax))
		if err != nil {
			return die("the payload: %s", err)
		}
		upload.set("payload", base64.StdEncoding.EncodeToString(payload))
		upload.set("payload_encoding", "base64")
	}
	answer, err := p.ask(ctx, http.MethodPost, path, dumps(upload))
	if err != nil {
		return err
	}
	value, err := loads(answer)
	if err != nil {
		return err
	}
	if d, ok := value.(*dict); ok && d.get("routed") == true {
		p.say("Message published")
	} else {
		p.say("Message published but NOT routed")
	}
	return nil
}

func (p *program) get(ctx context.Context, args []string) error {
	f, _ := findForm(traffic(), "get")
	path, upload, err := p.fill(f, args)
	if err != nil {
		return err
	}
	file, _ := upload.get("payload_file").(string)
	if file != "" && upload.get("count") != "1" {
		return usage("Cannot get multiple messages using payload_file")
	}
	answer, err := p.ask(ctx, http.MethodPost, path, dumps(upload))
	if err != nil {
		return err
	}
	if file == "" {
		return printList(p.out, answer, nil, nil, p.options)
	}
	if err := writePayload(file, answer); err != nil {
		return err
	}
	return printList(p.out, answer, []string{
		"routing_key", "exchange", "message_count", "payload_bytes", "redelivered",
	}, nil, p.options)
}

func writePayload(file string, answer []byte) error {
	value, err := loads(answer)
	if err != nil {
		return err
	}
	list, _ := value.([]any)
	if len(list) == 0 {
		return die("the queue is empty")
	}
	d, _ := list[0].(*dict)
	if d == nil {
		return die("the answer is no list of messages")
	}
	text, _ := d.get("payload").(string)
	payload := []byte(text)
	if d.get("payload_encoding") == "base64" {
		if payload, err = base64.StdEncoding.DecodeString(text); err != nil {
			return die("the payload: %s", err)
		}
	}
	return os.WriteFile(file, payload, 0o644)
}

// definitionsPath is that of all vhosts or of the one chosen.
func (p *program) definitionsPath() string {
	if p.options.vhost == "" {
		return "/definitions"
	}
	return "/definitions/" + plus(p.options.vhost)
}

func (p *program) export(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("Exactly one argument required")
	}
	answer, err := p.ask(ctx, http.MethodGet, p.definitionsPath(), "")
	if err != nil {
		return err
	}
	if err := os.WriteFile(args[0], answer, 0o600); err != nil {
		return die("%s", err)
	}
	p.say("Exported definitions for %s to \"%s\"", p.options.host, args[0])
	return nil
}

func (p *program) importFile(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("Exactly one argument required")
	}
	text, err := os.ReadFile(filepath.Clean(args[0]))
	if err != nil {
		return die("%s", err)
	}
	if _, err = p.ask(ctx, http.MethodPost, p.definitionsPath(), string(text)); err != nil {
		return err
	}
	p.say("Uploaded definitions from \"%s\" to %s. The import process may take some time. "+
		"Consult server logs to track progress.", p.options.host, args[0])
	return nil
}
