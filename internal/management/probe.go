package management

import (
	"encoding/json"
	"net/http"
)

// Condition is how a node is, for those who start, watch and replace processes.
type Condition struct {
	// Checks are what has to hold for clients to be sent to the node.
	Checks []Check
	// Alarms are the resources that are short, in RabbitMQ's words. They do not make a node
	// unready: consumers are what ends them.
	Alarms []string
}

// Check is one thing that was looked at.
type Check struct {
	Name string `json:"name"`
	// Problem is what is wrong; empty: nothing.
	Problem string `json:"problem,omitempty"`
}

// The paths of probes.
const (
	probeLive    = "/livez"
	probeReady   = "/readyz"
	probeStarted = "/startupz"
)

// probeAnswer is what a probe is told.
type probeAnswer struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons,omitempty"`
	Alarms  []string `json:"alarms,omitempty"`
	Checks  []Check  `json:"checks,omitempty"`
}

// Probes answers whether the process lives, is ready and has started, to anybody, without a login:
// it tells nothing but that. All other requests are next's. The condition is looked at for each
// request about it, and must not wait.
//
// Whoever is answered has started: a node serves nothing before it has recovered.
func Probes(condition func() Condition, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := probeAnswer{Status: "ok"}
		switch r.URL.Path {
		case probeLive, probeStarted:
		case probeReady:
			answer.judge(condition(), r.URL.Query().Has("verbose"))
		default:
			next.ServeHTTP(w, r)
			return
		}
		answer.write(w, r)
	})
}

// judge says whether clients should be sent to a node.
func (a *probeAnswer) judge(c Condition, verbose bool) {
	for _, check := range c.Checks {
		if check.Problem != "" {
			a.Status = "unavailable"
			a.Reasons = append(a.Reasons, check.Problem)
		}
	}
	a.Alarms = c.Alarms
	if verbose {
		a.Checks = c.Checks
	}
}

func (a *probeAnswer) write(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if len(a.Reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(a) // who asked may have left
}
