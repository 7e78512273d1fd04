package rabbitmqctl

import (
	"net/http"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

func closeVerbs() []*verb {
	return []*verb{
		{name: "close_connection", min: 2, max: 2, do: closeConnection,
			banner: saying("Closing connection %0, reason: %1...")},
		{name: "close_all_connections", min: 1, max: 1, do: closeAll,
			options: []option{
				flag("global", ""), number("per-connection-delay", ""), number("limit", ""),
			},
			banner: func(t *task) string {
				if t.options.has("global") {
					return saying("Closing all connections to node %n (across all vhosts), " +
						"reason: %0...")(t)
				}
				return saying("Closing all connections in vhost %v, reason: %0...")(t)
			}},
		{name: "close_all_user_connections", min: 2, max: 2, do: closeAllOf,
			options: []option{number("per-connection-delay", ""), number("limit", "")},
			banner:  saying("Closing connections of user %0, reason: %1...")},
	}
}

// close ends a connection by its name; one that is gone already is fine.
func (t *task) close(name, reason string) error {
	err := t.client.Do(t.ctx, apiclient.Request{
		Method: http.MethodDelete, Path: apiclient.Path("connections", name),
		Header: http.Header{"X-Reason": {reason}},
	}, nil)
	if isMissing(err) {
		return nil
	}
	return err
}

// closeConnection finds the connection by its pid; its name does, too.
func closeConnection(t *task) error {
	list, err := t.getList("/connections")
	if err != nil {
		return err
	}
	for _, o := range list {
		if name := o.text("name"); o.text("pid") == t.args[0] || name == t.args[0] {
			return t.close(name, t.args[1])
		}
	}
	return fail(exitUnavailable, "Error:\n{:invalid_pid_syntax, \"%s\"}", t.args[0])
}

func closeAll(t *task) error {
	path := "/connections"
	if !t.options.has("global") {
		path = apiclient.Path("vhosts", t.vhost(), "connections")
	}
	list, err := t.getList(path)
	if err != nil && !isMissing(err) {
		return err
	}
	closed, err := t.closeEach(list, t.args[0])
	if err != nil {
		return err
	}
	return t.message("Closed %d connections", closed)
}

func closeAllOf(t *task) error {
	list, err := t.getList(apiclient.Path("connections", "username", t.args[0]))
	if err != nil && !isMissing(err) {
		return err
	}
	_, err = t.closeEach(list, t.args[1])
	return err
}

// closeEach closes as many connections as the options allow, with pauses.
func (t *task) closeEach(list []object, reason string) (closed int, err error) {
	limit := int(t.options.number("limit"))
	pause := time.Duration(t.options.number("per-connection-delay")) * time.Millisecond
	for _, o := range list {
		if limit > 0 && closed == limit {
			break
		}
		if closed > 0 {
			if err := t.wait(pause); err != nil {
				return closed, err
			}
		}
		if err := t.close(o.text("name"), reason); err != nil {
			return closed, err
		}
		closed++
	}
	return closed, nil
}

// wait pauses, or ends with the call.
func (t *task) wait(pause time.Duration) error {
	select {
	case <-t.ctx.Done():
		return fail(exitTemporary, "interrupted")
	case <-time.After(pause):
		return nil
	}
}
