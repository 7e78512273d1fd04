package management

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/warrenmq/warren/amqp"
)

// failure is why a request is not done, as the client is told:
// {"error": kind, "reason": reason}.
type failure struct {
	status       int
	kind, reason string // kind "": without a body
	challenge    bool   // WWW-Authenticate asks for a login
	// terms: the reason is sent as this list of words, as RabbitMQ sends some.
	terms []string
}

func (f *failure) Error() string { return f.kind + ": " + f.reason }

// notFound is what RabbitMQ says of everything that is not there.
func notFound() error {
	return &failure{status: http.StatusNotFound, kind: "Object Not Found", reason: "Not Found"}
}

func badRequest(format string, arguments ...any) error {
	return &failure{
		status: http.StatusBadRequest, kind: "bad_request",
		reason: fmt.Sprintf(format, arguments...),
	}
}

func notAuthorized(reason string) error {
	return &failure{status: http.StatusUnauthorized, kind: "not_authorised", reason: reason}
}

func methodNotAllowed(reason string) error {
	return &failure{
		status: http.StatusMethodNotAllowed, kind: "method_not_allowed", reason: reason,
	}
}

// failureOf says how an error is told to the client; nil when it is none of the client's business.
func failureOf(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var refused *amqp.Error
	if !errors.As(err, &refused) {
		return nil
	}
	switch refused.Code {
	case amqp.InternalError:
		return nil
	case amqp.NotFound:
		return &failure{
			status: http.StatusNotFound, kind: "Object Not Found", reason: refused.Error(),
		}
	case amqp.AccessRefused:
		return &failure{
			status: http.StatusUnauthorized, kind: "not_authorized", reason: refused.Error(),
		}
	}
	return &failure{
		status: http.StatusBadRequest, kind: "bad_request", reason: refused.Error(),
	}
}
