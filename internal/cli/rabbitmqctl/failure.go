package rabbitmqctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

// Exit codes, as in sysexits.h, which RabbitMQ's tools follow.
const (
	exitOK          = 0
	exitUsage       = 64
	exitData        = 65
	exitNoUser      = 67
	exitUnavailable = 69
	exitSoftware    = 70
	exitTemporary   = 75
	exitConfig      = 78
)

// reporter is an error that prints itself and knows its exit code.
type reporter interface {
	error
	report(t *task) int
}

// failure is an error with RabbitMQ's text. Bare ones stand without the word "Error:".
type failure struct {
	code   int
	bare   bool
	text   string
	fields map[string]any // for programs; nil: the text as a message
}

func fail(code int, format string, args ...any) *failure {
	return &failure{code: code, text: fmt.Sprintf(format, args...)}
}

// failBare is a failure whose text stands alone.
func failBare(code int, format string, args ...any) *failure {
	return &failure{code: code, bare: true, text: fmt.Sprintf(format, args...)}
}

func (f *failure) Error() string { return f.text }

func (f *failure) report(t *task) int {
	switch {
	case f.fields != nil && t.verb != nil && t.format() == "json":
		text, err := json.Marshal(f.fields)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintln(t.Stderr, string(text))
	case f.bare:
		fmt.Fprintln(t.Stderr, f.text)
	default:
		fmt.Fprintln(t.Stderr, "Error:\n"+f.text)
	}
	return f.code
}

// misuse is a mistake in how a verb was called: the usage is shown.
type misuse struct {
	code int
	text string
}

func usageFailure(format string, args ...any) *misuse {
	return &misuse{exitUsage, fmt.Sprintf(format, args...)}
}

// badArgument is a misuse that concerns what an argument says.
func badArgument(format string, args ...any) *misuse {
	text := "Bad argument."
	if format != "" {
		text = "Bad argument: " + fmt.Sprintf(format, args...)
	}
	return &misuse{exitData, text}
}

func (m *misuse) Error() string { return m.text }

func (m *misuse) report(t *task) int {
	fmt.Fprint(t.Stderr, "Error (argument validation): "+m.text+"\n"+t.shownUsage())
	return m.code
}

// wrongState says that the application of the node runs and should not, or the other way round.
type wrongState struct{ state, advice string }

func (w *wrongState) Error() string {
	return fmt.Sprintf("this command requires the 'rabbit' app to be %s on the target node. %s.",
		w.state, w.advice)
}

func (w *wrongState) report(t *task) int {
	fmt.Fprint(t.Stderr, "Error: "+w.Error()+"\n"+t.shownUsage())
	return exitUsage
}

// wrongVerb says that there is no such verb, or that none was named.
type wrongVerb struct{ name string }

func (w *wrongVerb) Error() string { return "Command '" + w.name + "' not found." }

func (w *wrongVerb) report(t *task) int {
	if w.name == "" {
		fmt.Fprintln(t.Stderr, t.overview())
		return exitUsage
	}
	fmt.Fprintf(t.Stderr, "\nCommand '%s' not found. \n", w.name)
	if near := t.nearest(w.name); near != "" {
		fmt.Fprintf(t.Stderr, "Did you mean '%s'? \n\n", near)
	} else {
		fmt.Fprintln(t.Stderr, t.overview())
	}
	return exitUsage
}

// unreachable says that no node answers.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }
func (u *unreachable) Unwrap() error { return u.err }

func (u *unreachable) report(t *task) int {
	name := t.options.text("node")
	if name == "" {
		name = "rabbit"
	}
	fmt.Fprintf(t.Stderr, "Error: unable to perform an operation on node '%s'. "+
		"Please see diagnostics information and suggestions below.\n\n"+
		"Most common reasons for this are:\n\n"+
		" * Target node is not running\n"+
		" * Its data directory is another one than the one that was looked at\n"+
		" * The user who calls may not open its control socket\n\n"+
		"DIAGNOSTICS\n===========\n\n%v\n\n"+
		" * suggestion: start the node with 'warren serve'\n"+
		" * suggestion: name its data directory with --data or WARREN_DATA, or the place of its "+
		"HTTP API with --uri\n\n", name, u.err)
	return exitUnavailable
}

// explain turns an error of the API into what the tools say of it.
func explain(t *task, err error) reporter {
	var answer *apiclient.Error
	switch {
	case apiclient.IsUnreachable(err):
		return &unreachable{err}
	case !errors.As(err, &answer):
		return fail(exitSoftware, "%v", err)
	case answer.Status == http.StatusServiceUnavailable && answer.Code == "unavailable":
		return &wrongState{"running", "Start it with 'rabbitmqctl start_app'"}
	}
	return fail(exitUnavailable, "%s", reasonOf(err))
}

// reasonOf returns what the API says of an error. RabbitMQ escapes it for pages.
func reasonOf(err error) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&amp;", "&").
		Replace(err.Error())
}

// noVHost is what most verbs say when there is no such vhost.
func noVHost(name string) *failure {
	return failBare(exitData, "Virtual host '%s' does not exist", name)
}
