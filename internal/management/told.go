package management

import (
	"log/slog"
	"net/http"
)

// tell logs what was changed, and by whom. Messages that were published or got are no change.
func (q *request) tell() {
	if q.Method == http.MethodGet || q.Method == http.MethodHead || q.route.quiet {
		return
	}
	q.h.log.Say(q.h.o.Logger, slog.LevelInfo, "changed by an operator", func() []any {
		by, from := q.user.name, q.RemoteAddr
		if q.user.operator {
			by, from = "operator", "control socket"
		}
		return []any{"user", by, "peer", from, "method", q.Method, "path", q.URL.EscapedPath()}
	})
}

// tellRefused logs a login that was refused, and the name that was tried. One that is no user's is
// not told: a password may have been typed in its place.
func (h *Handler) tellRefused(r *http.Request, name string, reason error) {
	h.log.Say(h.o.Logger, slog.LevelWarn, "login to the API refused", func() []any {
		if _, known := h.o.Broker.User(name); !known {
			name = "(unknown)"
		}
		return []any{"user", name, "peer", r.RemoteAddr, "reason", reason}
	})
}
