package management

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// reply answers 200 with v as JSON.
func (q *request) reply(v any) error { return q.replyStatus(http.StatusOK, v) }

// replyStatus answers with v as JSON.
func (q *request) replyStatus(status int, v any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	q.replyBytes(status, "application/json", bytes.TrimSuffix(out.Bytes(), []byte("\n")))
	return nil
}

// gzipMin is the smallest body that is worth to be compressed.
const gzipMin = 1 << 10

// replyBytes answers with a body, compressed if the client wants.
func (q *request) replyBytes(status int, contentType string, body []byte) {
	header := q.w.Header()
	header.Set("Content-Type", contentType)
	if header.Get("Cache-Control") == "" {
		header.Set("Cache-Control", "no-cache")
	}
	if len(body) >= gzipMin && acceptsGzip(q.Header.Get("Accept-Encoding")) {
		var packed bytes.Buffer
		out, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed) // the level is right
		_, _ = out.Write(body)                                 // to memory
		_ = out.Close()
		body = packed.Bytes()
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(status)
	_, _ = q.w.Write(body) // a client that has gone is not told
}

// acceptsGzip reads Accept-Encoding.
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		weight, _ := strings.CutPrefix(strings.TrimSpace(parameters), "q=")
		if f, err := strconv.ParseFloat(weight, 64); err == nil && f == 0 {
			continue
		}
		if name == "gzip" || name == "*" {
			return true
		}
	}
	return false
}

// created answers that something was made (201), or was there already (204).
func (q *request) created(new bool) error {
	status := http.StatusNoContent
	if new {
		status = http.StatusCreated
		q.w.Header().Set("Content-Length", "0")
	}
	q.w.WriteHeader(status)
	return nil
}

// done answers that it is done, with nothing to show (204).
func (q *request) done() error { return q.created(false) }

// fail answers why the request is not done.
func (q *request) fail(err error) {
	f := failureOf(err)
	if f == nil { // what went wrong inside is for the log
		q.h.o.Logger.Error("management: request failed",
			"method", q.Method, "path", q.route.path, "error", err)
		f = &failure{
			status: http.StatusInternalServerError, kind: "internal_server_error",
			reason: "the request could not be carried out; the log says why",
		}
	}
	if f.challenge {
		q.w.Header().Set("WWW-Authenticate", `Basic realm="RabbitMQ Management"`)
	}
	if f.kind == "" {
		q.w.Header().Set("Content-Length", "0")
		q.w.WriteHeader(f.status)
		return
	}
	reason := any(f.reason)
	if f.terms != nil {
		reason = f.terms
	}
	_ = q.replyStatus(f.status, struct { // texts can be written
		Error  string `json:"error"`
		Reason any    `json:"reason"`
	}{f.kind, reason})
}
