package management

import "sync/atomic"

// attempts counts logins.
type attempts struct{ succeeded, failed atomic.Uint64 }

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
	l := &q.h.logins
	succeeded, failed := l.succeeded.Load(), l.failed.Load()
	return q.reply([]any{map[string]any{
		"protocol": "http", "auth_attempts": succeeded + failed,
		"auth_attempts_failed": failed, "auth_attempts_succeeded": succeeded,
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
