package management

import (
	"sync/atomic"

	"github.com/warrenmq/warren/internal/broker"
)

// attempts counts logins.
type attempts struct{ succeeded, failed atomic.Uint64 }

// Logins returns how many logins there were since the node started, or since somebody had them
// counted from 0 again: what /api/auth/attempts says.
func (h *Handler) Logins() broker.Logins {
	succeeded, failed := h.logins.succeeded.Load(), h.logins.failed.Load()
	return broker.Logins{Attempts: succeeded + failed, Succeeded: succeeded, Failed: failed}
}

func attemptRoutes() []route {
	const path = "/api/auth/attempts/:node"
	return []route{
		{method: "GET", path: path, needs: monitors, do: getAttempts,
			text: "How many logins by HTTP there were, and how many failed"},
		{method: "DELETE", path: path, needs: administrators, do: resetAttempts,
			text: "Counts logins from 0 again"},
		{method: "GET", path: path + "/source", needs: monitors, do: getNothingOfNode,
			text: "Logins by their origin, which is not kept"},
		{method: "DELETE", path: path + "/source", needs: administrators, do: resetNothing,
			text: "Would forget logins by their origin"},
	}
}

// ofThisNode refuses the path of another node.
func (q *request) ofThisNode() error {
	if q.param("node") != q.h.o.Node().Name {
		return notFound()
	}
	return nil
}

func getAttempts(q *request) error {
	if err := q.ofThisNode(); err != nil {
		return err
	}
	l := q.h.Logins()
	return q.reply([]any{map[string]any{
		"protocol": "http", "auth_attempts": l.Attempts,
		"auth_attempts_failed": l.Failed, "auth_attempts_succeeded": l.Succeeded,
	}})
}

func resetAttempts(q *request) error {
	if err := q.ofThisNode(); err != nil {
		return err
	}
	q.h.logins.succeeded.Store(0)
	q.h.logins.failed.Store(0)
	return q.done()
}

func getNothingOfNode(q *request) error {
	if err := q.ofThisNode(); err != nil {
		return err
	}
	return getNothing(q)
}
