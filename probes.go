package warren

import (
	"io"
	"net/http"
)

// probes answers those who watch over processes, without a login, and leaves the rest to h:
// /livez says that the process answers, /startupz that what is on disk has been read, /readyz that
// clients are taken. An alarm does not matter: consumers are what ends it.
func (a *application) probes(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text := ""
		switch r.URL.Path {
		case "/livez", "/startupz": // nobody listens before what is on disk has been read
		case "/readyz":
			text = a.unready()
		default:
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if text != "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			text = "ok"
		}
		_, _ = io.WriteString(w, text+"\n") // who left is not told
	})
}

// unready is why clients are not taken, "" when they are.
func (a *application) unready() string {
	if a.draining.Load() {
		return "draining"
	}
	if a.amqp.Suspended() {
		return "listeners are suspended"
	}
	return ""
}
