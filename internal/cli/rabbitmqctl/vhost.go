package rabbitmqctl

import (
	"net/http"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

func vhostVerbs() []*verb {
	metadata := []option{
		text("description", ""), text("tags", ""), text("default-queue-type", ""),
	}
	return []*verb{
		{name: "add_vhost", min: 1, max: 1, do: addVHost, options: metadata,
			banner: saying(`Adding vhost "%0" ...`)},
		{name: "update_vhost_metadata", min: 1, max: 1, do: updateVHost, options: metadata,
			banner: saying(`Updating metadata of vhost "%0" ...`)},
		{name: "delete_vhost", min: 1, max: 1, banner: saying(`Deleting vhost "%0" ...`),
			do: func(t *task) error {
				return missingVHost(t.args[0],
					t.client.Delete(t.ctx, apiclient.Path("vhosts", t.args[0])))
			}},
		protection("enable_vhost_deletion_protection", http.MethodPost, "Protecting", "from"),
		protection("disable_vhost_deletion_protection", http.MethodDelete,
			"Removing protection of", "from"),
		{name: "set_vhost_tags", min: 1, max: -1, do: setVHostTags, banner: func(t *task) string {
			return `Setting tags for virtual host "` + t.args[0] + `" to [` +
				strings.Join(t.args[1:], ", ") + "] ..."
		}},
		{name: "restart_vhost", do: restartVHost,
			banner: saying("Trying to restart vhost '%v' on node '%n' ...")},
		{name: "reconcile_vhosts", do: func(*task) error { return nil },
			banner: saying("Will try to initiate virtual host reconciliation on all reachable " +
				"cluster nodes...")},
		tracing("trace_on", "Starting", "enabled", true),
		tracing("trace_off", "Stopping", "disabled", false),
		lister{
			name: "list_vhosts", banner: "Listing vhosts ...", chooses: true,
			path: func(*task) string { return "/vhosts" },
			columns: []column{
				{name: "name"}, {name: "tracing"}, {name: "cluster_state", as: asStates},
				{name: "description"}, {name: "tags", as: asWords},
				{name: "default_queue_type", as: asWord},
				{name: "protected_from_deletion", path: "metadata.protected_from_deletion"},
				{name: "metadata", as: asText},
			},
			usual: []string{"name"},
		}.verb(),
	}
}

func asStates(v any) any {
	o, _ := v.(object)
	return states(o)
}

func missingVHost(name string, err error) error {
	if isMissing(err) {
		return noVHost(name)
	}
	return err
}

// metadata is what the options of a vhost say, over what it had.
func (t *task) metadata(had object) (map[string]any, error) {
	body := map[string]any{}
	if had != nil {
		body["description"] = had.text("description")
		body["tags"] = asWords(had.get("tags"))
		if kind := had.text("default_queue_type"); kind != "" && kind != "undefined" {
			body["default_queue_type"] = kind
		}
	}
	if t.options.has("description") {
		body["description"] = t.options.text("description")
	}
	if t.options.has("tags") {
		body["tags"] = asWords(t.options.text("tags"))
	}
	if t.options.has("default-queue-type") {
		kind := t.options.text("default-queue-type")
		switch kind {
		case "classic", "quorum", "stream":
		default:
			return nil, fail(exitUnavailable, "invalid_queue_type")
		}
		body["default_queue_type"] = kind
	}
	return body, nil
}

func addVHost(t *task) error {
	body, err := t.metadata(nil)
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, apiclient.Path("vhosts", t.args[0]), body)
}

func updateVHost(t *task) error {
	had, err := t.getObject(apiclient.Path("vhosts", t.args[0]))
	if err != nil {
		return missingVHost(t.args[0], err)
	}
	body, err := t.metadata(had)
	if err != nil {
		return err
	}
	return t.client.Put(t.ctx, apiclient.Path("vhosts", t.args[0]), body)
}

func setVHostTags(t *task) error {
	had, err := t.getObject(apiclient.Path("vhosts", t.args[0]))
	if isMissing(err) {
		return fail(exitData, `Virtual host "%s" does not exist`, t.args[0])
	}
	if err != nil {
		return err
	}
	body, err := t.metadata(had)
	if err != nil {
		return err
	}
	body["tags"] = words(append([]string{}, t.args[1:]...))
	return t.client.Put(t.ctx, apiclient.Path("vhosts", t.args[0]), body)
}

func protection(name, method, doing, from string) *verb {
	return &verb{
		name: name, min: 1, max: 1,
		banner: saying(doing + ` virtual host '%0' ` + from + ` deletion ...`),
		do: func(t *task) error {
			return missingVHost(t.args[0], t.client.Do(t.ctx, apiclient.Request{
				Method: method, Path: apiclient.Path("vhosts", t.args[0]) + "/deletion/protection",
			}, nil))
		},
	}
}

// restartVHost tells that the vhost runs: it does as long as the node does.
func restartVHost(t *task) error {
	_, err := t.getObject(apiclient.Path("vhosts", t.vhost()))
	if isMissing(err) {
		return fail(exitSoftware, "Failed to start vhost '%s' on node '%s'"+
			`Reason: {:no_such_vhost, "%s"}`, t.vhost(), t.node.name, t.vhost())
	}
	if err != nil {
		return err
	}
	return t.message("Vhost '%s' is already running on node '%s'", t.vhost(), t.node.name)
}

// tracing turns the copies of all messages of a vhost on or off.
func tracing(name, doing, done string, on bool) *verb {
	return &verb{
		name: name, banner: saying(doing + ` tracing for vhost "%v" ...`),
		do: func(t *task) error {
			had, err := t.getObject(apiclient.Path("vhosts", t.vhost()))
			if err != nil {
				return missingVHost(t.vhost(), err)
			}
			body, err := t.metadata(had)
			if err != nil {
				return err
			}
			body["tracing"] = on
			if err := t.client.Put(t.ctx, apiclient.Path("vhosts", t.vhost()), body); err != nil {
				return err
			}
			text := "Trace " + done + " for vhost " + t.vhost()
			return t.result(text, object{
				{"node", t.node.name}, {"result", "ok"}, {"value", text},
			})
		},
	}
}
