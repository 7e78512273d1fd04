package management

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

func parameterRoutes() []route {
	const one = "/api/parameters/:component/:vhost/:name"
	return []route{
		{method: "GET", path: "/api/parameters", needs: managers, do: getParameters,
			text: "Runtime parameters of all virtual hosts", query: listQuery()},
		{method: "GET", path: "/api/parameters/:component", needs: managers, do: getParameters,
			text: "Runtime parameters of a component", query: listQuery()},
		{method: "GET", path: "/api/parameters/:component/:vhost", needs: managers,
			visible: true, do: getParameters, query: listQuery(),
			text: "Runtime parameters of a component in a virtual host"},
		{method: "GET", path: one, needs: managers, visible: true, do: getParameter,
			text: "A runtime parameter"},
		{method: "PUT", path: one, needs: managers, do: putParameter,
			text: "Sets a runtime parameter", body: "value"},
		{method: "DELETE", path: one, needs: managers, do: deleteParameter,
			text: "Takes a runtime parameter away"},
		{method: "GET", path: "/api/global-parameters", needs: managers,
			do: getGlobalParameters, text: "Runtime parameters of the node", query: listQuery()},
		{method: "GET", path: "/api/global-parameters/:name", needs: managers,
			do: getGlobalParameter, text: "A runtime parameter of the node"},
		{method: "PUT", path: "/api/global-parameters/:name", needs: managers,
			do: putGlobalParameter, text: "Sets a runtime parameter of the node", body: "value"},
		{method: "DELETE", path: "/api/global-parameters/:name", needs: managers,
			do: deleteGlobalParameter, text: "Takes a runtime parameter of the node away"},
	}
}

// policymaker refuses all but those who may make policies: in parameters are what others should not
// know.
func (q *request) policymaker() error {
	if q.user.is(policymakers) {
		return nil
	}
	return notAuthorized("User not authorised to access object")
}

// Components of parameters that stand for something else.
const (
	policyComponent         = "policy"
	operatorPolicyComponent = "operator_policy"
	limitsComponent         = "vhost-limits"
	limitsName              = "limits"
)

// components are those that parameters may be set for: of plugins that there may be later, whose
// settings are kept until then.
func components() []string {
	return []string{"federation-upstream", "federation-upstream-set", "shovel", "federation"}
}

// parameterShown is a parameter in its vhost.
type parameterShown struct {
	vhost, component, name string
	value                  string // JSON
}

// parametersOf returns all parameters of a vhost; limits are among them.
func parametersOf(v *broker.VHost) []parameterShown {
	var list []parameterShown
	for _, p := range v.Parameters() {
		list = append(list, parameterShown{v.Name(), p.Component, p.Name, p.Value})
	}
	if limits := v.Limits(); len(limits) > 0 {
		w := writer{}
		writeLimits(&w, "value", limits)
		value := bytes.TrimPrefix(w.out, []byte(`"value":`))
		list = append(list,
			parameterShown{v.Name(), limitsComponent, limitsName, string(value)})
	}
	return list
}

func getParameters(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	vhosts := q.visibleVHosts()
	if _, ok := q.lookup("vhost"); ok {
		v, err := q.vhost()
		if err != nil {
			return err
		}
		vhosts = []*broker.VHost{v}
	}
	component, only := q.lookup("component")
	var list []parameterShown
	for _, v := range vhosts {
		for _, p := range parametersOf(v) {
			if !only || p.component == component {
				list = append(list, p)
			}
		}
	}
	return show(q, &listing[parameterShown]{
		items: list, name: func(p *parameterShown) string { return p.name },
		write: writeParameter,
	})
}

func writeParameter(w *writer, p *parameterShown) {
	w.raw("value", redacted(p.value))
	w.text("vhost", p.vhost)
	w.text("component", p.component)
	w.text("name", p.name)
}

func getParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	v, err := q.vhost()
	if err != nil {
		return err
	}
	for _, p := range parametersOf(v) {
		if p.component == q.param("component") && p.name == q.param("name") {
			return q.showOne(func(w *writer) { writeParameter(w, &p) })
		}
	}
	return notFound()
}

// parameterBody is a parameter as clients and definitions have it.
type parameterBody struct {
	Component string          `json:"component"`
	VHost     string          `json:"vhost"`
	Name      string          `json:"name"`
	Value     json.RawMessage `json:"value"`
}

func putParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	v := q.h.o.Broker.VHost(q.param("vhost"))
	if v == nil {
		return vhostNotFound()
	}
	var body parameterBody
	if err := q.decode(&body); err != nil {
		return err
	}
	body.Component, body.Name = q.param("component"), q.param("name")
	if body.Component == policyComponent {
		return badRequest("policies may not be set using this method")
	}
	if body.Component == operatorPolicyComponent && !q.user.is(administrators) {
		return notAuthorized(administrators.refusal())
	}
	existed := slices.ContainsFunc(parametersOf(v), func(p parameterShown) bool {
		return p.component == body.Component && p.name == body.Name
	})
	if err := q.makeParameter(v, &body); err != nil {
		return err
	}
	return q.created(!existed)
}

// makeParameter sets a parameter, or what is told as one.
func (q *request) makeParameter(v *broker.VHost, body *parameterBody) error {
	if body.Value == nil {
		return missing("value")
	}
	switch body.Component {
	case operatorPolicyComponent, policyComponent:
		var p policyBody
		if err := decodeJSON(body.Value, &p); err != nil {
			return err
		}
		set := operatorPolicies()
		if body.Component == policyComponent {
			set = plainPolicies()
		}
		p.Name = body.Name
		return set.make(v, &p)
	case limitsComponent:
		var l limitsBody
		if err := decodeJSON(body.Value, &l); err != nil {
			return validation(err)
		}
		if err := l.check(vhostLimits); err != nil {
			return validation(err)
		}
		return declared(v.PutLimits(definition.Limits(l)))
	}
	if !slices.Contains(components(), body.Component) {
		return validation(badRequest("component %s not found", body.Component))
	}
	if err := checkUpstream(body); err != nil {
		return validation(err)
	}
	_, err := v.PutParameter(definition.Parameter{
		Component: body.Component, Name: body.Name, Value: compacted(body.Value),
	})
	return declared(err)
}

// checkUpstream refuses a federation upstream that does not say where it is.
func checkUpstream(body *parameterBody) error {
	if body.Component != "federation-upstream" {
		return nil
	}
	var upstream struct {
		URI any `json:"uri"`
	}
	if err := decodeJSON(body.Value, &upstream); err != nil {
		return err
	}
	if upstream.URI == nil {
		return badRequest("Key \"uri\" not found in %s", body.Component)
	}
	return nil
}

// compacted returns JSON without spaces.
func compacted(text json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, text) != nil {
		return string(text) // it is refused as what it is
	}
	return out.String()
}

func deleteParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	v, err := q.vhost()
	if err != nil {
		return err
	}
	component, name := q.param("component"), q.param("name")
	if component == limitsComponent && name == limitsName {
		if len(v.Limits()) == 0 {
			return notFound()
		}
		if err := v.PutLimits(nil); err != nil {
			return declared(err)
		}
		return q.done()
	}
	if _, ok := v.Parameter(component, name); !ok {
		return notFound()
	}
	if err := v.ClearParameter(component, name); err != nil {
		return declared(err)
	}
	return q.done()
}

func getGlobalParameters(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	return show(q, &listing[definition.Parameter]{
		items: q.h.o.Broker.GlobalParameters(),
		name:  func(p *definition.Parameter) string { return p.Name },
		write: writeGlobalParameter,
	})
}

func writeGlobalParameter(w *writer, p *definition.Parameter) {
	w.text("name", p.Name)
	w.raw("value", redacted(p.Value))
}

func getGlobalParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	p, ok := q.h.o.Broker.GlobalParameter(q.param("name"))
	if !ok {
		return notFound()
	}
	return q.showOne(func(w *writer) { writeGlobalParameter(w, &p) })
}

func putGlobalParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	var body parameterBody
	if err := q.decode(&body); err != nil {
		return err
	}
	if body.Value == nil {
		return missing("value")
	}
	created, err := q.h.o.Broker.PutGlobalParameter(definition.Parameter{
		Name: q.param("name"), Value: compacted(body.Value),
	})
	if err != nil {
		return declared(err)
	}
	return q.created(created)
}

func deleteGlobalParameter(q *request) error {
	if err := q.policymaker(); err != nil {
		return err
	}
	name := q.param("name")
	if _, ok := q.h.o.Broker.GlobalParameter(name); !ok {
		return notFound()
	}
	if err := q.h.o.Broker.ClearGlobalParameter(name); err != nil {
		return declared(err)
	}
	return q.done()
}
