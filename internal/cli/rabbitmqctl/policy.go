package rabbitmqctl

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

func policyVerbs() []*verb {
	return []*verb{
		setPolicy("set_policy", "policies", "policy"),
		setPolicy("set_operator_policy", "operator-policies", "operator policy override"),
		clearPolicy("clear_policy", "policies", "policy"),
		clearPolicy("clear_operator_policy", "operator-policies", "operator policy"),
		policyList("list_policies", "policies", "policies"),
		policyList("list_operator_policies", "operator-policies", "operator policy overrides"),
	}
}

func setPolicy(name, path, what string) *verb {
	return &verb{
		name: name, min: 3, max: 3,
		options: []option{number("priority", ""), text("apply-to", "")},
		banner: func(t *task) string {
			priority := cmp.Or(t.options.text("priority"), "0")
			return saying("Setting " + what + ` "%0" for pattern "%1" to "%2" with priority "` +
				priority + `" for vhost "%v" ...`)(t)
		},
		do: func(t *task) error {
			settings, err := document(t.args[2])
			if err != nil {
				return err
			}
			err = t.client.Put(t.ctx, apiclient.Path(path, t.vhost(), t.args[0]), map[string]any{
				"pattern": t.args[1], "definition": settings,
				"priority": t.options.number("priority"),
				"apply-to": cmp.Or(t.options.text("apply-to"), "all"),
			})
			return t.refusedInVHost(err)
		},
	}
}

// refusedInVHost says that the vhost is missing, or what is wrong as the tools print it.
func (t *task) refusedInVHost(err error) error {
	switch apiclient.Status(err) {
	case http.StatusNotFound:
		return noVHost(t.vhost())
	case http.StatusBadRequest:
		return fail(exitUnavailable, "%s", reasonOf(err))
	}
	return err
}

// document checks JSON that is sent on as it is.
func document(text string) (json.RawMessage, error) {
	if !json.Valid([]byte(text)) {
		var wrong *json.SyntaxError
		reason := "badarg"
		if err := json.Unmarshal([]byte(text), new(any)); errors.As(err, &wrong) {
			reason = wrong.Error() + " at " + strconv.FormatInt(wrong.Offset, 10)
		}
		return nil, fail(exitUnavailable, "JSON decoding error. Reason: %s", reason)
	}
	return json.RawMessage(text), nil
}

// noParameter is said of what is to be taken away and is not there.
func noParameter(err error) error {
	if isMissing(err) {
		return fail(exitUnavailable, "Parameter does not exist")
	}
	return err
}

func clearPolicy(name, path, what string) *verb {
	return &verb{
		name: name, min: 1, max: 1, banner: saying("Clearing " + what + ` "%0" on vhost "%v" ...`),
		do: func(t *task) error {
			return noParameter(t.client.Delete(t.ctx, apiclient.Path(path, t.vhost(), t.args[0])))
		},
	}
}

// policyList lists in the tools' order: what counts most comes last.
func policyList(name, path, what string) *verb {
	l := lister{
		name: name, banner: "Listing " + what + ` for vhost "%v" ...`,
		path: func(t *task) string { return apiclient.Path(path, t.vhost()) },
		columns: []column{
			{name: "vhost"}, {name: "name"}, {name: "pattern"}, {name: "apply-to"},
			{name: "definition", as: asText}, {name: "priority"},
		},
		missing: vhostMissing,
	}
	v := l.verb()
	v.do = func(t *task) error {
		list, err := t.listOf(l)
		if err != nil {
			return err
		}
		slices.SortStableFunc(list, func(a, b object) int {
			return cmp.Or(cmp.Compare(a.number("priority"), b.number("priority")),
				strings.Compare(a.text("name"), b.text("name")))
		})
		return t.list(list, l.columns)
	}
	return v
}
