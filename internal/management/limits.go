package management

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

func limitRoutes() []route {
	return []route{
		{method: "GET", path: "/api/vhost-limits", needs: managers, do: getVHostLimits,
			text: "Limits of virtual hosts", query: listQuery()},
		{method: "GET", path: "/api/vhost-limits/:vhost", needs: managers, visible: true,
			do: getVHostLimits, text: "Limits of a virtual host", query: listQuery()},
		{method: "PUT", path: "/api/vhost-limits/:vhost/:name", needs: administrators,
			visible: true, do: putVHostLimit, body: "value",
			text: "Sets a limit of a virtual host"},
		{method: "DELETE", path: "/api/vhost-limits/:vhost/:name", needs: administrators,
			visible: true, do: deleteVHostLimit, text: "Takes a limit of a virtual host away"},
		{method: "GET", path: "/api/user-limits", needs: managers, do: getUserLimits,
			text: "Limits of users", query: listQuery()},
		{method: "GET", path: "/api/user-limits/:user", needs: managers, do: getUserLimits,
			text: "Limits of a user", query: listQuery()},
		{method: "PUT", path: "/api/user-limits/:user/:name", needs: administrators,
			do: putUserLimit, text: "Sets a limit of a user", body: "value"},
		{method: "DELETE", path: "/api/user-limits/:user/:name", needs: administrators,
			do: deleteUserLimit, text: "Takes a limit of a user away"},
	}
}

// limitsBody are limits as definitions have them: an empty list stands for none.
type limitsBody map[string]int64

// UnmarshalJSON reads an object of numbers, or an empty list.
func (l *limitsBody) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	var values map[string]any
	switch trimmed := strings.Join(strings.Fields(string(text)), ""); {
	case trimmed == "[]" || trimmed == "null":
		*l = nil
		return nil
	case in.Decode(&values) != nil:
		return badRequest("limits are an object of numbers")
	}
	*l = make(limitsBody, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		n, err := limitValue(name, values[name])
		if err != nil {
			return err
		}
		(*l)[name] = n
	}
	return nil
}

// limitValue reads a limit, or tells in RabbitMQ's words that it is none.
func limitValue(name string, v any) (int64, error) {
	text := "something else"
	switch v := v.(type) {
	case json.Number:
		n, err := v.Int64()
		if err == nil {
			return n, nil
		}
		text = v.String()
	case string:
		text = `<<"` + v + `">>`
	}
	return 0, badRequest("%s should be a number, actually was %s", name, text)
}

// check refuses limits that there are not; kind is RabbitMQ's word for what has them.
func (l limitsBody) check(kind string) error {
	check := definition.CheckUserLimits
	if kind == vhostLimits {
		check = definition.CheckVHostLimits
	}
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if check(definition.Limits{name: l[name]}) != nil {
			return badRequest(`Unrecognised terms [{<<"%s">>,%d}] in %s`, name, l[name], kind)
		}
	}
	return nil
}

// vhostLimits is how RabbitMQ calls limits of vhosts in errors.
const vhostLimits = "limits"

// limit reads the limit that is sent.
func (q *request) limit(kind string) (limitsBody, error) {
	var body struct {
		Value any `json:"value"`
	}
	if err := q.decode(&body); err != nil {
		return nil, err
	}
	if body.Value == nil {
		return nil, missing("value")
	}
	name := q.param("name")
	n, err := limitValue(name, body.Value)
	if err != nil {
		return nil, err
	}
	l := limitsBody{name: n}
	return l, l.check(kind)
}

// validation puts a bad request into the words that RabbitMQ has for parameters.
func validation(err error) error {
	if f := failureOf(err); f != nil && f.kind == "bad_request" && f.terms == nil &&
		!strings.HasPrefix(f.reason, "[{") {
		return badRequest("Validation failed\n\n%s\n", f.reason)
	}
	return err
}

func putVHostLimit(q *request) error {
	v := q.h.o.Broker.VHost(q.param("vhost"))
	if v == nil {
		return vhostNotFound()
	}
	l, err := q.limit(vhostLimits)
	if err != nil {
		return validation(err)
	}
	for name, n := range l {
		if err := v.PutLimit(name, n); err != nil {
			return declared(err)
		}
	}
	return q.done()
}

func deleteVHostLimit(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	if err := v.ClearLimit(q.param("name")); err != nil {
		return declared(err)
	}
	return q.done()
}

// limited is what has limits.
type limited struct {
	name   string
	limits definition.Limits
}

func getVHostLimits(q *request) error {
	vhosts := q.visibleVHosts()
	if _, ok := q.lookup("vhost"); ok {
		v, err := q.vhost()
		if err != nil {
			return err
		}
		vhosts = []*broker.VHost{v}
	}
	var list []limited
	for _, v := range vhosts {
		list = append(list, limited{v.Name(), v.Limits()})
	}
	return q.showLimits("vhost", list)
}

// showLimits answers with those that have limits.
func (q *request) showLimits(kind string, list []limited) error {
	list = slices.DeleteFunc(list, func(l limited) bool { return len(l.limits) == 0 })
	return show(q, &listing[limited]{
		items: list, name: func(l *limited) string { return l.name },
		write: func(w *writer, l *limited) {
			w.text(kind, l.name)
			writeLimits(w, "value", l.limits)
		},
	})
}

func writeLimits(w *writer, key string, l definition.Limits) {
	text := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendQuote(text, name) // one of ours: nothing to escape
		text = strconv.AppendInt(append(text, ':'), l[name], 10)
	}
	w.raw(key, string(append(text, '}')))
}

func putUserLimit(q *request) error {
	name := q.param("user")
	if _, ok := q.h.o.Broker.User(name); !ok {
		return refused("no_such_user", name)
	}
	l, err := q.limit("user-limits")
	if err != nil {
		return err
	}
	if err := q.h.o.Broker.PutUserLimits(name, definition.Limits(l)); err != nil {
		return declared(err)
	}
	return q.done()
}

func deleteUserLimit(q *request) error {
	if _, err := q.userOf(); err != nil {
		return err
	}
	if err := q.h.o.Broker.ClearUserLimit(q.param("user"), q.param("name")); err != nil {
		return declared(err)
	}
	return q.done()
}

// getUserLimits shows the limits of users; those who are not administrators see their own.
func getUserLimits(q *request) error {
	var list []limited
	only, one := q.lookup("user")
	if one {
		if _, err := q.userOf(); err != nil {
			return err
		}
	}
	for _, u := range q.h.o.Broker.Users() {
		if one && u.Name != only || !q.user.is(monitors) && u.Name != q.user.name {
			continue
		}
		list = append(list, limited{u.Name, q.h.o.Broker.UserLimits(u.Name)})
	}
	return q.showLimits("user", list)
}
