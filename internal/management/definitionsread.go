package management

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/auth"
)

// definitions are what is imported. Fields that it does not name do not count.
type definitions struct {
	RabbitVersion    string           `json:"rabbit_version"`
	RabbitMQVersion  string           `json:"rabbitmq_version"`
	Users            []userBody       `json:"users"`
	VHosts           []namedVHost     `json:"vhosts"`
	Permissions      []permissionBody `json:"permissions"`
	TopicPermissions []permissionBody `json:"topic_permissions"`
	Parameters       []parameterBody  `json:"parameters"`
	GlobalParameters []parameterBody  `json:"global_parameters"`
	Policies         []policyBody     `json:"policies"`
	Queues           []namedQueue     `json:"queues"`
	Exchanges        []namedExchange  `json:"exchanges"`
	Bindings         []namedBinding   `json:"bindings"`
}

type namedVHost struct {
	Name string `json:"name"`
	vhostBody
	Limits limitsBody `json:"limits"`
}

type namedQueue struct {
	Name  string `json:"name"`
	VHost string `json:"vhost"`
	queueBody
}

type namedExchange struct {
	Name  string `json:"name"`
	VHost string `json:"vhost"`
	exchangeBody
}

type namedBinding struct {
	Source          string `json:"source"`
	VHost           string `json:"vhost"`
	Destination     string `json:"destination"`
	DestinationType string `json:"destination_type"`
	bindingBody
}

// readDefinitions reads the definitions of the body, or of the file that a form has.
func (q *request) readDefinitions() (*definitions, error) {
	text, err := q.uploaded()
	if err != nil {
		return nil, err
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some editors begin with it
	var d definitions
	if len(bytes.TrimSpace(text)) == 0 {
		return &d, nil
	}
	if err := decodeJSON(text, &d); err != nil {
		if f := failureOf(err); f != nil && f.reason == "not_json" {
			return nil, badRequest("failed_to_parse_json")
		}
		return nil, err
	}
	d.assume()
	return &d, d.check()
}

// assume says what definitions of old versions leave unsaid.
func (d *definitions) assume() {
	version := d.RabbitVersion
	if version == "" {
		version = d.RabbitMQVersion
	}
	if !before(version, 3, 6) {
		return
	}
	for i := range d.Users {
		if d.Users[i].HashingAlgorithm == "" {
			d.Users[i].HashingAlgorithm = auth.HashMD5
		}
	}
}

// before reports whether a version such as "3.5.7" is before major.minor. What cannot be read is
// not.
func before(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA == nil && errB == nil && (a < major || a == major && b < minor)
}

// check refuses what lacks its name: nothing of definitions with such a hole is made.
func (d *definitions) check() error {
	nameless := func(kind string) error { return badRequest("one of the %s has no name", kind) }
	for i := range d.Users {
		if d.Users[i].Name == "" {
			return nameless("users")
		}
	}
	for i := range d.VHosts {
		if d.VHosts[i].Name == "" {
			return nameless("vhosts")
		}
	}
	for i := range d.Policies {
		if d.Policies[i].Name == "" {
			return badRequest("policy in virtual host '%s' has undefined name", d.Policies[i].VHost)
		}
	}
	for i := range d.Queues {
		if d.Queues[i].Name == "" {
			return nameless("queues")
		}
	}
	for i := range d.Exchanges {
		if d.Exchanges[i].Name == "" {
			return nameless("exchanges")
		}
	}
	for i := range d.Bindings {
		kind := d.Bindings[i].DestinationType
		if kind != "queue" && kind != "exchange" {
			return badRequest("a binding of '%s' has the unknown destination type '%s'",
				d.Bindings[i].Source, kind)
		}
	}
	return nil
}

// uploadField is the field of a form in which definitions are.
const uploadField = "file"

// uploaded returns the body, or what its form has in the field file.
func (q *request) uploaded() ([]byte, error) {
	kind, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return q.body()
	}
	form, err := q.MultipartReader()
	if err != nil {
		return nil, badRequest("the form cannot be read")
	}
	var text []byte
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return nil, tooLargeOr(err, "the form cannot be read")
		}
		value, err := io.ReadAll(part) // as much as the body may have
		if err != nil {
			return nil, tooLargeOr(err, "the form cannot be read")
		}
		switch part.FormName() {
		case uploadField:
			text = value
		case "redirect":
			q.redirect = string(value)
		}
	}
}

// tooLargeOr is the error for a body that is larger than it may be, or a bad request.
func tooLargeOr(err error, reason string) error {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return &failure{
			status: http.StatusRequestEntityTooLarge, kind: "bad_request",
			reason: "HTTP request body exceeds " + strconv.FormatInt(over.Limit, 10) + " bytes",
		}
	}
	return badRequest("%s", reason)
}

// imported answers that everything is made, as the form wants: with a way back, but to no other
// place than this one.
func (q *request) imported() error {
	if !strings.HasPrefix(q.redirect, "/") || strings.HasPrefix(q.redirect, "//") ||
		strings.ContainsAny(q.redirect, "\\\r\n") {
		return q.done()
	}
	q.w.Header().Set("Location", q.redirect)
	q.w.WriteHeader(http.StatusSeeOther)
	return nil
}
