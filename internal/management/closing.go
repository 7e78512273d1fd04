package management

import (
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
)

func closeRoutes() []route {
	return []route{
		{method: "DELETE", path: "/api/connections/:connection", needs: managers,
			do: closeConnection, text: "Closes a connection; X-Reason says why"},
		{method: "DELETE", path: "/api/connections/username/:username", needs: managers,
			do:   closeConnectionsOfUser,
			text: "Closes the connections of a user; X-Reason says why"},
	}
}

const (
	// closeReason is what clients are told when nobody gave a reason.
	closeReason = "Closed via management plugin"
	// reasonMax is how much of a reason they are told, in bytes.
	reasonMax = 200
)

// reason is why a connection is closed, as clients are told.
func (q *request) reason() string {
	reason := q.Header.Get("X-Reason")
	if reason == "" {
		return closeReason
	}
	return strings.ToValidUTF8(reason[:min(len(reason), reasonMax)], "")
}

// mayClose reports whether the user may close a connection: administrators any, others their own.
func (q *request) mayClose(c *broker.Connection) bool {
	return q.user.is(administrators) || c.User == q.user.name && c.User != ""
}

func closeConnection(q *request) error {
	list := q.h.o.Connections()
	i := slices.IndexFunc(list, func(c broker.Connection) bool {
		return c.Name == q.param("connection")
	})
	switch {
	case i < 0:
		return notFound()
	case !q.mayClose(&list[i]):
		return notAuthorized("User not authorised to access object")
	case list[i].Close != nil:
		list[i].Close(q.reason())
	}
	return q.done()
}

func closeConnectionsOfUser(q *request) error {
	if q.param("username") != q.user.name && !q.user.is(administrators) {
		return notAuthorized("User not authorised to access object")
	}
	for _, c := range q.h.o.Connections() {
		if c.User == q.param("username") && c.Close != nil {
			c.Close(q.reason())
		}
	}
	return q.done()
}
