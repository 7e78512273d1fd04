package rabbitmqctl

import (
	"net/http"
	"slices"

	"github.com/warrenmq/warren/internal/apiclient"
)

func permissionVerbs() []*verb {
	grants := plain("configure", "write", "read")
	topics := plain("exchange", "write", "read")
	return []*verb{
		{name: "set_permissions", min: 4, max: 4, do: setPermissions,
			banner: saying(`Setting permissions for user "%0" in vhost "%v" ...`)},
		{name: "clear_permissions", min: 1, max: 1, do: clearPermissions,
			banner: saying(`Clearing permissions for user "%0" in vhost "%v" ...`)},
		{name: "set_topic_permissions", min: 4, max: 4, do: setTopicPermissions, banner: saying(
			`Setting topic permissions on "%1" for user "%0" in vhost "%v" ...`)},
		{name: "clear_topic_permissions", min: 1, max: 2, do: clearTopicPermissions,
			banner: func(t *task) string {
				if len(t.args) > 1 {
					return saying(`Clearing topic permissions on "%1" for user "%0" ` +
						`in vhost "%v" ...`)(t)
				}
				return saying(`Clearing topic permissions for user "%0" in vhost "%v" ...`)(t)
			}},
		lister{
			name: "list_permissions", banner: `Listing permissions for vhost "%v" ...`,
			path:    inVHost("permissions"),
			columns: slices.Concat(plain("user"), grants), missing: vhostMissing,
		}.verb(),
		lister{
			name: "list_topic_permissions", banner: `Listing topic permissions for vhost "%v" ...`,
			path:    inVHost("topic-permissions"),
			columns: slices.Concat(plain("user"), topics), missing: vhostMissing,
		}.verb(),
		ofUser(lister{
			name: "list_user_permissions", banner: `Listing permissions for user "%0" ...`,
			path: func(t *task) string {
				return apiclient.Path("users", t.args[0], "permissions")
			},
			columns: slices.Concat(plain("vhost"), grants),
		}),
		ofUser(lister{
			name:   "list_user_topic_permissions",
			banner: `Listing topic permissions for user "%0" ...`,
			path: func(t *task) string {
				return apiclient.Path("users", t.args[0], "topic-permissions")
			},
			columns: slices.Concat(plain("vhost"), topics), headless: true,
		}),
	}
}

// inVHost is a path below a vhost.
func inVHost(what string) func(*task) string {
	return func(t *task) string { return apiclient.Path("vhosts", t.vhost(), what) }
}

// ofUser makes a list about the user that its argument names.
func ofUser(l lister) *verb {
	l.missing = func(t *task) error { return noUserTerm(t.args[0]) }
	v := l.verb()
	v.min, v.max = 1, 1
	return v
}

// whose explains why a change of a user's rights in a vhost was refused.
func (t *task) whose(err error) error {
	if status := apiclient.Status(err); status != http.StatusBadRequest &&
		status != http.StatusNotFound {
		return err
	}
	if _, missing := t.getObject(apiclient.Path("users", t.args[0])); isMissing(missing) {
		return fail(exitNoUser, "User %s does not exist", t.args[0])
	}
	if _, missing := t.getObject(apiclient.Path("vhosts", t.vhost())); isMissing(missing) {
		return fail(exitUnavailable, "Virtual host %s does not exist", t.vhost())
	}
	if isMissing(err) {
		return nil // there was nothing to take away
	}
	return err
}

func setPermissions(t *task) error {
	return t.whose(t.client.Put(t.ctx, apiclient.Path("permissions", t.vhost(), t.args[0]),
		map[string]string{"configure": t.args[1], "write": t.args[2], "read": t.args[3]}))
}

func clearPermissions(t *task) error {
	return t.whose(t.client.Delete(t.ctx, apiclient.Path("permissions", t.vhost(), t.args[0])))
}

func setTopicPermissions(t *task) error {
	return t.whose(t.client.Put(t.ctx, apiclient.Path("topic-permissions", t.vhost(), t.args[0]),
		map[string]string{"exchange": t.args[1], "write": t.args[2], "read": t.args[3]}))
}

func clearTopicPermissions(t *task) error {
	parts := []string{"topic-permissions", t.vhost()}
	return t.whose(t.client.Delete(t.ctx, apiclient.Path(append(parts, t.args...)...)))
}
