package management

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

// request is a request that is being answered, by one goroutine.
type request struct {
	*http.Request
	h     *Handler
	w     http.ResponseWriter
	route *route
	user  user

	segments []string // of the path, unescaped
	query    url.Values
	redirect string // where a form wants to go to
}

// serve answers a request of whom login says.
func (h *Handler) serve(
	w http.ResponseWriter, r *http.Request, login func(*http.Request) (user, error),
) {
	r.Body = http.MaxBytesReader(w, r.Body, h.o.BodyMax)
	q := &request{Request: r, h: h, w: w}
	header := w.Header()
	header.Set("Vary", "accept, accept-encoding, origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy",
		"default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.cors(q)
	methods, segments := h.router.find(r.URL.EscapedPath())
	if methods == nil {
		q.fail(h.unknown())
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http drops the body
	}
	q.route, q.segments = methods[method], segments
	if q.route == nil {
		header.Set("Allow", allow(methods))
		if method != http.MethodOptions {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		return
	}
	err := h.sameOrigin(r)
	if err != nil {
		q.fail(err)
		return
	}
	if q.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		q.fail(badRequest("the query cannot be read"))
		return
	}
	if q.route.needs != anybody {
		if q.user, err = login(r); err == nil {
			err = h.authorize(q)
		}
	}
	if err == nil {
		err = q.route.do(q)
	}
	if err != nil {
		q.fail(err)
		return
	}
	q.tell()
}

// cors lets pages of the origins that are allowed see answers.
func (h *Handler) cors(q *request) {
	origin := q.Header.Get("Origin")
	if origin == "" {
		return
	}
	for _, allowed := range h.o.AllowOrigins {
		if allowed != origin && allowed != "*" {
			continue
		}
		header := q.w.Header()
		header.Set("Access-Control-Allow-Origin", allowed)
		if q.Method == http.MethodOptions {
			header.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE, OPTIONS")
			header.Set("Access-Control-Allow-Headers", "authorization, content-type, x-reason")
			header.Set("Access-Control-Max-Age", "1800")
		}
		return
	}
}

// lookup returns a parameter of the path.
func (q *request) lookup(name string) (string, bool) {
	i := 0
	for rest := strings.TrimPrefix(q.route.path, "/"); rest != ""; i++ {
		var segment string
		segment, rest, _ = strings.Cut(rest, "/")
		if strings.HasPrefix(segment, ":") && segment[1:] == name {
			return q.segments[i], true
		}
	}
	return "", false
}

// param returns a parameter of the path, such as "queue" for ":queue".
func (q *request) param(name string) string {
	value, ok := q.lookup(name)
	if !ok {
		panic("management: " + q.route.path + " has no :" + name)
	}
	return value
}

// flag reports whether a parameter of the query is "true".
func (q *request) flag(name string) bool { return q.query.Get(name) == "true" }

// vhost returns the vhost of the path, or the error for one that is not there.
func (q *request) vhost() (*broker.VHost, error) {
	if v := q.h.o.Broker.VHost(q.param("vhost")); v != nil {
		return v, nil
	}
	return nil, notFound()
}

// jsonDepthMax bounds how deep JSON from clients may nest.
const jsonDepthMax = 64

// decode reads the body, one JSON object, into v. An empty body is an empty object. Unknown
// fields are passed over, as RabbitMQ does.
func (q *request) decode(v any) error {
	body, err := q.body()
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	return decodeJSON(body, v)
}

// decodeJSON reads one JSON object into v. Numbers in an any are json.Number.
func decodeJSON(body []byte, v any) error {
	if deep(body) {
		return &failure{
			status: http.StatusBadRequest, kind: "bad_request",
			reason: fmt.Sprintf("JSON is nested deeper than %d", jsonDepthMax),
		}
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	if err := in.Decode(v); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) && kind.Field != "" {
			return badRequest("%s: a %s cannot be used there", kind.Field, kind.Value)
		}
		var refused *failure
		if errors.As(err, &refused) {
			return refused
		}
		return &failure{status: http.StatusBadRequest, kind: "bad_request", reason: "not_json"}
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return &failure{status: http.StatusBadRequest, kind: "bad_request", reason: "not_json"}
	}
	return nil
}

// deep reports whether JSON nests deeper than jsonDepthMax. It need not be JSON.
func deep(body []byte) bool {
	depth, text := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			if depth++; depth > jsonDepthMax {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// body reads the body of the request, up to Options.BodyMax.
func (q *request) body() ([]byte, error) {
	body, err := io.ReadAll(q.Body)
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, &failure{
			status: http.StatusRequestEntityTooLarge, kind: "bad_request",
			reason: fmt.Sprintf("HTTP request body exceeds %d bytes", over.Limit),
		}
	}
	if err != nil {
		return nil, badRequest("the body could not be read")
	}
	return body, nil
}
