package management

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

// policySet is what policies and operator policies differ in.
type policySet struct {
	path, text string
	makes      scope
	list       func(*broker.VHost) []definition.Policy
	put        func(*broker.VHost, definition.Policy) *amqp.Error
	clear      func(*broker.VHost, string) *amqp.Error
	// escapes: texts of errors come with their tags escaped, as RabbitMQ's do.
	escapes bool
}

func plainPolicies() *policySet {
	return &policySet{
		path: "/api/policies", text: "policies", makes: policymakers,
		list: (*broker.VHost).Policies, put: (*broker.VHost).PutPolicy,
		clear: (*broker.VHost).ClearPolicy, escapes: true,
	}
}

func operatorPolicies() *policySet {
	return &policySet{
		path: "/api/operator-policies", text: "operator policies", makes: administrators,
		list: (*broker.VHost).OperatorPolicies, put: (*broker.VHost).PutOperatorPolicy,
		clear: (*broker.VHost).ClearOperatorPolicy,
	}
}

func policyRoutes() []route {
	return slices.Concat(plainPolicies().routes(), operatorPolicies().routes())
}

func (s *policySet) routes() []route {
	one := s.path + "/:vhost/:name"
	return []route{
		{method: "GET", path: s.path, needs: managers, do: s.getAll, text: "All " + s.text,
			query: listQuery()},
		{method: "GET", path: s.path + "/:vhost", needs: managers, visible: true, do: s.getAll,
			text: "The " + s.text + " of a virtual host", query: listQuery()},
		{method: "GET", path: one, needs: managers, visible: true, do: s.get,
			text: "One of the " + s.text},
		{method: "PUT", path: one, needs: managers, do: s.putOne, body: "policy",
			text: "Makes or replaces one of the " + s.text},
		{method: "DELETE", path: one, needs: managers, do: s.delete,
			text: "Takes one of the " + s.text + " away"},
	}
}

// mayMake refuses users who may see policies, but make none.
func (s *policySet) mayMake(q *request) error {
	switch {
	case q.user.is(s.makes):
		return nil
	case s.makes == administrators:
		return notAuthorized(s.makes.refusal())
	}
	return notAuthorized("User not authorised to access object")
}

// policyBody is a policy as clients and definitions have it.
type policyBody struct {
	Name       string          `json:"name"`
	VHost      string          `json:"vhost"`
	Pattern    *string         `json:"pattern"`
	Definition json.RawMessage `json:"definition"`
	Priority   any             `json:"priority"`
	ApplyTo    string          `json:"apply-to"`
}

// policy reads what clients send of a policy.
func (b *policyBody) policy() (definition.Policy, error) {
	var none definition.Policy
	switch {
	case b.Pattern == nil:
		return none, missing("pattern")
	case b.Definition == nil:
		return none, missing("definition")
	}
	settings, err := amqp.ParseTableJSON(b.Definition)
	if err != nil {
		return none, badRequest("definition: %v", err)
	}
	p := definition.Policy{
		Name: b.Name, Pattern: *b.Pattern, ApplyTo: b.ApplyTo, Definition: settings,
	}
	var text string
	switch v := b.Priority.(type) {
	case nil:
	case json.Number:
		if p.Priority, err = v.Int64(); err == nil {
			return p, nil
		}
		text = v.String()
	case string:
		var n number // rabbitmqadmin of old sends it so
		if json.Unmarshal([]byte(v), &n) == nil {
			p.Priority = int64(n)
			return p, nil
		}
		text = `<<"` + v + `">>`
	default:
		text = "something else"
	}
	if text != "" {
		return none, badRequest(
			"Validation failed\n\npriority should be a number, actually was %s\n", text)
	}
	return p, nil
}

func (s *policySet) putOne(q *request) error {
	if err := s.mayMake(q); err != nil {
		return err
	}
	v := q.h.o.Broker.VHost(q.param("vhost"))
	if v == nil {
		return vhostNotFound()
	}
	var body policyBody
	if err := q.decode(&body); err != nil {
		return err
	}
	body.Name = q.param("name")
	_, existed := s.find(v, body.Name)
	if err := s.make(v, &body); err != nil {
		return err
	}
	return q.created(!existed)
}

func (s *policySet) make(v *broker.VHost, body *policyBody) error {
	p, err := body.policy()
	if err == nil {
		err = declared(s.put(v, p))
	}
	if f := failureOf(err); s.escapes && f != nil && f.status == http.StatusBadRequest {
		return badRequest("%s", strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(f.reason))
	}
	return err
}

func (s *policySet) find(v *broker.VHost, name string) (definition.Policy, bool) {
	list := s.list(v)
	i := slices.IndexFunc(list, func(p definition.Policy) bool { return p.Name == name })
	if i < 0 {
		return definition.Policy{}, false
	}
	return list[i], true
}

func (s *policySet) delete(q *request) error {
	if err := s.mayMake(q); err != nil {
		return err
	}
	v, err := q.vhost()
	if err != nil {
		return err
	}
	refusal := s.clear(v, q.param("name"))
	if refusal != nil && refusal.Code == amqp.NotFound {
		return notFound()
	}
	if refusal != nil {
		return refusal
	}
	return q.done()
}

// policyShown is a policy in its vhost.
type policyShown struct {
	definition.Policy
	vhost string
}

func (s *policySet) getAll(q *request) error {
	vhosts := q.visibleVHosts()
	if _, ok := q.lookup("vhost"); ok {
		v, err := q.vhost()
		if err != nil {
			return err
		}
		vhosts = []*broker.VHost{v}
	}
	var list []policyShown
	for _, v := range vhosts {
		for _, p := range s.list(v) {
			list = append(list, policyShown{p, v.Name()})
		}
	}
	return show(q, &listing[policyShown]{
		items: list, name: func(p *policyShown) string { return p.Name }, write: writePolicy,
	})
}

func (s *policySet) get(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	p, ok := s.find(v, q.param("name"))
	if !ok {
		return notFound()
	}
	return q.showOne(func(w *writer) { writePolicy(w, &policyShown{p, v.Name()}) })
}

func writePolicy(w *writer, p *policyShown) {
	w.text("vhost", p.vhost)
	w.text("name", p.Name)
	w.text("pattern", p.Pattern)
	w.text("apply-to", p.ApplyTo)
	w.table("definition", p.Definition)
	w.int("priority", p.Priority)
}
