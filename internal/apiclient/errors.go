package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"strings"
)

// errorMax is how much is read of the body of an answer that is not a success, in bytes.
const errorMax = 64 << 10

// Error is an answer that is not a success.
type Error struct {
	Method, Path string
	// Status is that of HTTP.
	Status int
	// Code is the word of the API for it, such as "bad_request"; it may be empty.
	Code string
	// Reason says it for people, as it came; it may be empty.
	Reason string
	// Body is the answer as it came, of health checks for example.
	Body []byte
}

// Error implements error with the reason alone when there is one: that is what the broker says.
// The entities of HTML with which it writes some reasons are characters again.
func (e *Error) Error() string {
	switch {
	case e.Reason != "" && e.Status == http.StatusUnauthorized:
		return "the login is refused: " + html.UnescapeString(e.Reason)
	case e.Reason != "":
		return html.UnescapeString(e.Reason)
	case e.Code != "":
		return e.Code
	}
	return fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
}

// UnreachableError says that nobody answered.
type UnreachableError struct {
	// URL is where somebody should have, empty for a socket.
	URL string
	// Err is why; of a socket it says everything.
	Err error
}

// Error implements error.
func (e *UnreachableError) Error() string {
	if e.URL == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("the API at %s cannot be reached: %v", e.URL, e.Err)
}

// Unwrap returns why nobody answered.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Status returns the status of an *Error in err's chain, and 0 for any other error.
func Status(err error) int {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.Status
	}
	return 0
}

// IsNotFound reports whether err says that what was asked for does not exist.
func IsNotFound(err error) bool { return Status(err) == http.StatusNotFound }

// IsUnreachable reports whether nobody answered.
func IsUnreachable(err error) bool {
	var unreachable *UnreachableError
	return errors.As(err, &unreachable)
}

func newError(r Request, response *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, errorMax)) // what there is must do
	e := &Error{Method: r.Method, Path: r.Path, Status: response.StatusCode, Body: body}
	var said struct {
		Error  any `json:"error"`
		Reason any `json:"reason"`
	}
	if json.Unmarshal(body, &said) == nil {
		e.Code, e.Reason = asText(said.Error), asText(said.Reason)
	} else if strings.HasPrefix(response.Header.Get("Content-Type"), "text/plain") {
		e.Reason = strings.TrimSpace(string(body))
	}
	return e
}

// asText writes a reason, which some answers give as an object.
func asText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
