package rabbitmqctl

import (
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

func limitVerbs() []*verb {
	return []*verb{
		{name: "set_vhost_limits", min: 1, max: 1, do: setVHostLimits,
			banner: saying(`Setting vhost limits to "%0" for vhost "%v" ...`)},
		{name: "clear_vhost_limits", banner: saying(`Clearing vhost "%v" limits ...`),
			do: clearVHostLimits},
		{name: "list_vhost_limits", format: "table", options: []option{flag("global", "")},
			do: listVHostLimits, banner: func(t *task) string {
				if t.options.has("global") {
					return "Listing limits for all vhosts ..."
				}
				return saying(`Listing limits for vhost "%v" ...`)(t)
			}},
		{name: "set_user_limits", min: 2, max: 2, do: setUserLimits,
			banner: saying(`Setting user limits to "%1" for user "%0" ...`)},
		{name: "clear_user_limits", min: 2, max: 2, do: clearUserLimits,
			banner: func(t *task) string {
				if t.args[1] == "all" {
					return saying(`Clearing all limits for user "%0" ...`)(t)
				}
				return saying(`Clearing "%1" limit for user "%0" ...`)(t)
			}},
		{name: "list_user_limits", format: "table", do: listUserLimits,
			options: []option{flag("global", ""), text("user", "")},
			banner: func(t *task) string {
				if t.options.has("global") {
					return "Listing limits for all users ..."
				}
				return `Listing limits for user "` + t.limitedUser() + `" ...`
			}},
	}
}

// limitedUser is whose limits are listed.
func (t *task) limitedUser() string {
	if t.options.has("user") {
		return t.options.text("user")
	}
	return "guest"
}

// limits reads a JSON object of limits.
func limits(text string) (object, error) {
	if _, err := document(text); err != nil {
		return nil, err
	}
	v, err := parseValue([]byte(text))
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, fail(exitUnavailable, "JSON decoding error. Reason: limits are an object")
	}
	return o, nil
}

// setVHostLimits replaces all limits, as a parameter, which is checked and set as a whole.
func setVHostLimits(t *task) error {
	definition, err := document(t.args[0])
	if err != nil {
		return err
	}
	path := apiclient.Path("parameters", "vhost-limits", t.vhost(), "limits")
	return t.refusedInVHost(t.client.Put(t.ctx, path, map[string]any{
		"component": "vhost-limits", "vhost": t.vhost(), "name": "limits", "value": definition,
	}))
}

func clearVHostLimits(t *task) error {
	path := apiclient.Path("parameters", "vhost-limits", t.vhost(), "limits")
	return noParameter(t.client.Delete(t.ctx, path))
}

func listVHostLimits(t *task) error {
	if t.options.has("global") {
		list, err := t.getList("/vhost-limits")
		if err != nil {
			return err
		}
		return t.list(list, []column{{name: "vhost"}, {name: "limits", path: "value", as: asText}})
	}
	if _, err := t.getObject(apiclient.Path("vhosts", t.vhost())); err != nil {
		return missingVHost(t.vhost(), err)
	}
	return t.printLimits(apiclient.Path("vhost-limits", t.vhost()), "")
}

// printLimits prints the limits of one vhost or user; none is what stands for no limits.
func (t *task) printLimits(path, none string) error {
	list, err := t.getList(path)
	if err != nil {
		return err
	}
	text := none
	for _, o := range list {
		text = asText(o.get("value")).(string)
	}
	if text == "" && t.format() == "json" {
		return t.print("[]")
	}
	return t.message("%s", text)
}

func setUserLimits(t *task) error {
	definition, err := limits(t.args[1])
	if err != nil {
		return err
	}
	if _, err := t.user(t.args[0], noUserTerm(t.args[0])); err != nil {
		return err
	}
	for _, f := range definition {
		err := t.client.Put(t.ctx, apiclient.Path("user-limits", t.args[0], f.name),
			map[string]any{"value": jsonNumber(f.value)})
		if apiclient.Status(err) == http.StatusBadRequest {
			return fail(exitUnavailable, "%s", strings.TrimSpace(strings.TrimPrefix(
				reasonOf(err), "Validation failed\n\n")))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// jsonNumber is a limit as it is sent on.
func jsonNumber(v any) any {
	if o, ok := v.(object); ok {
		return jsonText(o)
	}
	return v
}

func clearUserLimits(t *task) error {
	if _, err := t.user(t.args[0], noUserTerm(t.args[0])); err != nil {
		return err
	}
	names := t.args[1:]
	if names[0] == "all" {
		list, err := t.getList(apiclient.Path("user-limits", t.args[0]))
		if err != nil {
			return err
		}
		names = nil
		for _, o := range list {
			all, _ := o.get("value").(object)
			for _, f := range all {
				names = append(names, f.name)
			}
		}
	}
	for _, name := range names {
		err := t.client.Delete(t.ctx, apiclient.Path("user-limits", t.args[0], name))
		status := apiclient.Status(err)
		if err != nil && status != http.StatusNotFound && status != http.StatusBadRequest {
			return err
		}
	}
	return nil
}

func listUserLimits(t *task) error {
	if t.options.has("global") {
		list, err := t.getList("/user-limits")
		if err != nil {
			return err
		}
		return t.list(list, []column{{name: "user"}, {name: "limits", path: "value", as: asText}})
	}
	if _, err := t.user(t.limitedUser(), noUserTerm(t.limitedUser())); err != nil {
		return err
	}
	return t.printLimits(apiclient.Path("user-limits", t.limitedUser()), "{}")
}
