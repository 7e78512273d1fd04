// Package rabbitmqctl is the command line that operators of RabbitMQ know: rabbitmqctl,
// rabbitmq-diagnostics, rabbitmq-queues, rabbitmq-plugins, rabbitmq-upgrade and rabbitmq-streams,
// with their verbs, options, texts, output formats and exit codes.
//
// Floor 7, wiring. A verb is a row of a table: what it takes, what it says, what it asks of the
// node. Everything is asked over the HTTP API, so the tools work with a RabbitMQ, too. The files
// named after topics hold the rows, usage.txt what `help` says of them.
package rabbitmqctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

// Where says which node is meant. All fields may be empty.
type Where struct {
	// Data is the data directory of a node on this machine, URI the place of its HTTP API.
	Data, URI string
	// Node is the node's name, as --node has it.
	Node string
	// Timeout is how long an answer may take; 0 is as long as the client pleases.
	Timeout time.Duration
}

// Call is one call of a tool.
type Call struct {
	// Tool is the name it is called by, such as "rabbitmqctl".
	Tool string
	// Args are what follows the name.
	Args []string
	// Stdin is read by verbs that take a password or definitions from there.
	Stdin io.Reader
	// Stdout and Stderr take what the verb prints.
	Stdout, Stderr io.Writer
	// Version is what this program calls itself.
	Version string
	// Compatible is the version of RabbitMQ that it stands in for.
	Compatible string
	// Connect makes a client of the node meant. It does not ask it anything yet.
	Connect func(Where) (*apiclient.Client, error)
}

// Tools are the names that Main answers to.
func Tools() []string {
	return []string{
		"rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-queues", "rabbitmq-plugins",
		"rabbitmq-upgrade", "rabbitmq-streams",
	}
}

// Main carries out a call and returns its exit code.
func Main(c Call) int {
	t := &task{Call: c, verbs: verbsOf(c.Tool)}
	err := t.run()
	if err == nil {
		return exitOK
	}
	return t.report(err)
}

// task is a call on its way.
type task struct {
	Call
	verbs   []*verb
	verb    *verb
	args    []string // of the verb
	options options
	client  *apiclient.Client
	node    node
	ctx     context.Context //nolint:containedctx // one call, one context
}

// node is what is known of the node from the start.
type node struct {
	name, version string
	running       bool
	started       bool // it is one of ours and its application can be stopped
}

func (t *task) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t.ctx = ctx
	if done, err := t.parse(); done || err != nil {
		return err
	}
	if t.options.has("help") {
		return t.helpOf(t.verb)
	}
	if err := t.verb.check(t); err != nil {
		return err
	}
	if t.options.has("dry-run") {
		return t.say()
	}
	if t.verb.needs != nothing {
		if err := t.reach(); err != nil {
			return err
		}
		defer t.client.Close()
	}
	if err := t.say(); err != nil {
		return err
	}
	return t.verb.do(t)
}

// reach makes the client and looks whether the node is there and in the state the verb needs.
func (t *task) reach() error {
	client, err := t.Connect(Where{
		Data: t.options.text("data"), URI: t.options.text("uri"), Node: t.options.text("node"),
		Timeout: t.timeout(0),
	})
	if err != nil {
		return err
	}
	t.client = client
	err = t.meet()
	if err != nil && t.verb.needs == whatever {
		t.node.name = t.options.text("node")
		return nil // the verb says it in its own way
	}
	if err != nil {
		return err
	}
	switch {
	case t.verb.needs == running && !t.node.running:
		return &wrongState{"running", "Start it with 'rabbitmqctl start_app'"}
	case t.verb.needs == stopped && t.node.running:
		return &wrongState{"stopped", "Stop it with 'rabbitmqctl stop_app'"}
	}
	return nil
}

// meet asks for the node's name and state. A RabbitMQ tells its name with its overview.
func (t *task) meet() error {
	var status struct{ Name, State, Version string }
	err := t.client.Get(t.ctx, "/warren/status", &status)
	if err == nil {
		t.node = node{
			name: status.Name, version: status.Version, started: true,
			running: status.State != "stopped",
		}
		return nil
	}
	if !apiclient.IsNotFound(err) && apiclient.Status(err) != 405 {
		return err
	}
	var overview struct {
		Node    string
		Version string `json:"rabbitmq_version"`
	}
	if err := t.client.Get(t.ctx, "/overview", &overview); err != nil {
		return err
	}
	t.node = node{name: overview.Node, version: overview.Version, running: true}
	return nil
}

// say prints what the verb is about to do, unless it is to be quiet or programs read it.
func (t *task) say() error {
	if t.verb.banner == nil || t.quiet() || t.format() == "json" || t.format() == "csv" ||
		t.format() == "json_stream" {
		return nil
	}
	if text := t.verb.banner(t); text != "" {
		return t.print(text)
	}
	return nil
}

func (t *task) quiet() bool { return t.options.has("quiet") || t.options.has("silent") }

func (t *task) print(text string) error {
	_, err := fmt.Fprintln(t.Stdout, text)
	return err
}

func (t *task) vhost() string {
	if t.options.has("vhost") {
		return t.options.text("vhost")
	}
	return "/"
}

// timeout is that of the option, or another one.
func (t *task) timeout(otherwise time.Duration) time.Duration {
	if !t.options.has("timeout") {
		return otherwise
	}
	return time.Duration(t.options.number("timeout")) * time.Second
}

// format is the way to print results: the option's, or the verb's own.
func (t *task) format() string {
	if t.options.has("formatter") {
		return t.options.text("formatter")
	}
	return t.verb.format
}

// parse finds the verb and its options. Done: there is nothing more to do.
func (t *task) parse() (done bool, err error) {
	name := t.findVerb()
	switch {
	case name == "" && t.wantsVersion():
		return true, t.print(t.Compatible)
	case name == "" && t.wantsHelp():
		return true, t.print(t.overview())
	case name == "":
		return true, &wrongVerb{}
	}
	t.verb = t.lookUp(name)
	if t.verb == nil {
		return true, &wrongVerb{name: name}
	}
	positional, given, invalid := parseOptions(t.Args, append(generalOptions(),
		t.verb.options...))
	t.options, t.args = given, positional[1:]
	if len(invalid) > 0 {
		lines := make([]string, len(invalid))
		for i, o := range invalid {
			lines[i] = o.name + " : " + o.value
		}
		return true, usageFailure("Invalid options for this command:\n%s",
			strings.Join(lines, "\n"))
	}
	return false, nil
}

// findVerb returns the first word that is no option and no value of one.
func (t *task) findVerb() string {
	all := generalOptions()
	for _, v := range t.verbs {
		all = append(all, v.options...)
	}
	positional, _, _ := parseOptions(t.Args, all)
	if len(positional) == 0 {
		return ""
	}
	return positional[0]
}

func (t *task) wantsVersion() bool {
	_, given, _ := parseOptions(t.Args, append(generalOptions(), flag("version", "")))
	return given.has("version")
}

func (t *task) wantsHelp() bool {
	_, given, _ := parseOptions(t.Args, generalOptions())
	return given.has("help")
}

func (t *task) lookUp(name string) *verb {
	for _, v := range t.verbs {
		if v.name == name {
			return v
		}
	}
	return nil
}

// report prints an error as the tools do, and returns the exit code.
func (t *task) report(err error) int {
	var known reporter
	if errors.As(err, &known) {
		return known.report(t)
	}
	return explain(t, err).report(t)
}
