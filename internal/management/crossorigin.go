package management

import (
	"log/slog"
	"net/http"
	"slices"
)

// crossOrigin keeps pages of other origins from changing something in the name of a user whose
// browser remembers the password. Clients that are no browsers never notice it. It is nil when
// pages of all origins may.
func crossOrigin(allowed []string, log *slog.Logger) *http.CrossOriginProtection {
	if slices.Contains(allowed, "*") {
		return nil
	}
	protection := http.NewCrossOriginProtection()
	for _, origin := range allowed {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			log.Warn("management: what is allowed is no origin", "origin", origin, "error", err)
		}
	}
	return protection
}

// sameOrigin refuses changes that a page of another origin asks for.
func (h *Handler) sameOrigin(r *http.Request) error {
	if h.origins == nil || h.origins.Check(r) == nil {
		return nil
	}
	return &failure{
		status: http.StatusForbidden, kind: "forbidden",
		reason: "the request comes from a page of another origin",
	}
}
