package management

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
)

// changeRoutes are the paths that change something, and those about who may do what.
func changeRoutes() []route {
	return slices.Concat(
		declareRoutes(), bindingChangeRoutes(), messageRoutes(), closeRoutes(),
		vhostRoutes(), userRoutes(), permissionRoutes(), policyRoutes(), parameterRoutes(),
		limitRoutes(), definitionRoutes(), healthRoutes(), nodeRoutes(), compatibleRoutes(),
		documentRoutes(), attemptRoutes(), singleRoutes(),
	)
}

// access returns what the user may do in the vhost of the path.
func (q *request) access() (*broker.Access, error) { return q.accessTo(q.param("vhost")) }

// accessTo is access to any vhost. One that is not there is told in RabbitMQ's words.
func (q *request) accessTo(vhost string) (*broker.Access, error) {
	m := q.h.o.Broker
	if m.VHost(vhost) == nil {
		return nil, vhostNotFound()
	}
	act := func() (*broker.Access, *amqp.Error) { return m.Act(q.user.name, vhost) }
	if q.user.operator {
		act = func() (*broker.Access, *amqp.Error) { return m.ActAsOperator(vhost) }
	}
	a, err := act()
	switch {
	case err == nil:
		return a, nil
	case err.Code == amqp.NotFound:
		return nil, vhostNotFound()
	}
	return nil, notAuthorized("User not authorised to access virtual host")
}

// vhostNotFound is what RabbitMQ says to whoever changes something in a vhost that is not there.
func vhostNotFound() error {
	return &failure{status: http.StatusNotFound, kind: "not_found", reason: "vhost_not_found"}
}

// refused is a bad request whose reason is a list of words, as some of RabbitMQ's are.
func refused(terms ...string) error {
	return &failure{
		status: http.StatusBadRequest, kind: "bad_request", reason: strings.Join(terms, ": "),
		terms: terms,
	}
}

// missing says that fields are not in the object that was sent, in RabbitMQ's words.
func missing(keys ...string) error {
	text := make([]string, len(keys))
	for i, key := range keys {
		text[i] = "{key_missing," + key + "}"
	}
	return badRequest("%s", "["+strings.Join(text, ",\n ")+"]")
}

// withoutName returns the text of an error without the name of its code before it.
func withoutName(err *amqp.Error) string {
	name, text, ok := strings.Cut(err.Text, " - ")
	if !ok || name != strings.ToUpper(name) || strings.Contains(name, " ") {
		return err.Text
	}
	return text
}

// declared tells why a declaration was refused as RabbitMQ's API does, nil for nil.
func declared(err *amqp.Error) error {
	switch {
	case err == nil:
		return nil
	case err.Code == amqp.InternalError:
		return err
	case err.Code == amqp.AccessRefused:
		return notAuthorized("Access refused.")
	case err.Code == amqp.NotFound:
		return &failure{status: http.StatusNotFound, kind: "not_found", reason: withoutName(err)}
	}
	return badRequest("%s", withoutName(err))
}

// onChannel tells why a channel would have been closed as RabbitMQ's API does, nil for nil.
func onChannel(err *amqp.Error) error {
	switch {
	case err == nil:
		return nil
	case err.Code == amqp.InternalError:
		return err
	case err.Code == amqp.AccessRefused:
		return notAuthorized(err.Text)
	case err.Code == amqp.NotFound:
		return &failure{status: http.StatusNotFound, kind: "not_found", reason: err.Text}
	}
	return closed(err)
}

// closed is a bad request with the code and text a channel would be closed with.
func closed(err *amqp.Error) error { return badRequest("%d %s", err.Code, err.Text) }

// flag is a bool that may be sent as text, as old clients do.
type flag bool

// UnmarshalJSON reads true, false, "true", "false", and null and "" as false.
func (f *flag) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true", `"true"`:
		*f = true
	case "false", `"false"`, "null", `""`:
		*f = false
	default:
		return refused("not_boolean", strings.Trim(string(text), `"`))
	}
	return nil
}

// number is an integer that may be sent as text, as old clients do.
type number int64

// UnmarshalJSON reads 5 and "5".
func (n *number) UnmarshalJSON(text []byte) error {
	plain := strings.Trim(string(text), `"`)
	parsed, err := strconv.ParseInt(plain, 10, 64)
	if err != nil {
		return refused("not_integer", plain)
	}
	*n = number(parsed)
	return nil
}
