package management

import (
	"mime"
	"strings"

	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

func definitionRoutes() []route {
	const whole, one = "/api/definitions", "/api/definitions/:vhost"
	return []route{
		{method: "GET", path: whole, needs: administrators, do: getDefinitions,
			text:  "Everything declared, users with the hashes of their passwords",
			query: []string{"download"}},
		{method: "POST", path: whole, needs: administrators, do: postDefinitions,
			text: "Makes what definitions say and is not there yet; deletes nothing",
			body: "definitions"},
		{method: "GET", path: "/api/all-configuration", needs: administrators,
			do: getDefinitions, text: "Definitions, under an old name"},
		{method: "GET", path: one, needs: administrators, visible: true, do: getDefinitionsOf,
			text: "Everything declared in a virtual host", query: []string{"download"}},
		{method: "POST", path: one, needs: administrators, visible: true,
			do: postDefinitionsOf, body: "definitions",
			text: "Makes in a virtual host what definitions say and is not there yet"},
	}
}

// attach tells browsers to keep the answer as a file, if the query names one.
func (q *request) attach() {
	if name := q.query.Get("download"); name != "" {
		q.w.Header().Set("Content-Disposition",
			mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	}
}

func getDefinitions(q *request) error {
	q.attach()
	m := q.h.o.Broker
	return q.showOne(func(w *writer) {
		w.text("rabbit_version", q.h.o.CompatibleVersion)
		w.text("rabbitmq_version", q.h.o.CompatibleVersion)
		w.text("product_name", "warren")
		w.text("product_version", q.h.o.Version)
		writeList(w, "users", m.Users(), q.h.writeUser)
		writeList(w, "vhosts", m.VHosts(), exportVHost)
		writeList(w, "permissions", m.Permissions(), writePermission)
		writeList(w, "topic_permissions", m.TopicPermissions(), writeTopicPermission)
		export := exporter{vhosts: m.VHosts(), named: true}
		export.parameters(w)
		writeList(w, "global_parameters", m.GlobalParameters(), exportGlobalParameter)
		export.declared(w)
	})
}

func getDefinitionsOf(q *request) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	q.attach()
	return q.showOne(func(w *writer) {
		w.text("rabbit_version", q.h.o.CompatibleVersion)
		d := v.Metadata()
		w.text("description", d.Description)
		if w.begin("metadata") {
			writeMetadata(w, &d)
			w.end()
		}
		export := exporter{vhosts: []*broker.VHost{v}}
		export.parameters(w)
		export.declared(w)
	})
}

// writeList writes a list of objects in a field.
func writeList[T any](w *writer, key string, items []T, write func(w *writer, item *T)) {
	w.list(key, func(one func(write func())) {
		for i := range items {
			one(func() { write(w, &items[i]) })
		}
	})
}

func exportVHost(w *writer, v **broker.VHost) {
	d := (*v).Metadata()
	w.text("name", (*v).Name())
	w.text("description", d.Description)
	w.texts("tags", d.Tags)
	if d.DefaultQueueType != "" {
		w.text("default_queue_type", d.DefaultQueueType)
	}
	if d.Protected {
		w.flag("protected_from_deletion", true)
	}
	if w.begin("metadata") {
		writeMetadata(w, &d)
		w.end()
	}
}

// exportGlobalParameter writes secrets too: what is exported is to be imported.
func exportGlobalParameter(w *writer, p *definition.Parameter) {
	w.text("name", p.Name)
	w.raw("value", p.Value)
}

// exporter writes what is in vhosts.
type exporter struct {
	vhosts []*broker.VHost
	named  bool // each says in which vhost it is
}

func (x *exporter) vhost(w *writer, name string) {
	if x.named {
		w.text("vhost", name)
	}
}

// each calls write in an object of its own for every item of every vhost.
func each[T any](
	w *writer, x *exporter, key string, list func(*broker.VHost) []T,
	write func(v *broker.VHost, item *T),
) {
	w.list(key, func(one func(write func())) {
		for _, v := range x.vhosts {
			items := list(v)
			for i := range items {
				one(func() { write(v, &items[i]) })
			}
		}
	})
}

// parameters are those that were set, limits of vhosts, and operator policies.
func (x *exporter) parameters(w *writer) {
	each(w, x, "parameters", func(v *broker.VHost) []parameterShown {
		list := parametersOf(v)
		for _, p := range v.OperatorPolicies() {
			value := writer{}
			value.text("pattern", p.Pattern)
			value.table("definition", p.Definition)
			value.int("priority", p.Priority)
			value.text("apply-to", p.ApplyTo)
			list = append(list, parameterShown{
				v.Name(), operatorPolicyComponent, p.Name, "{" + string(value.out) + "}",
			})
		}
		return list
	}, func(v *broker.VHost, p *parameterShown) {
		w.raw("value", p.value)
		w.text("vhost", v.Name())
		w.text("component", p.component)
		w.text("name", p.name)
	})
}

// declared are policies, queues, exchanges and bindings: those that clients made, and that others
// could make.
func (x *exporter) declared(w *writer) {
	each(w, x, "policies", (*broker.VHost).Policies,
		func(v *broker.VHost, p *definition.Policy) {
			writePolicy(w, &policyShown{*p, v.Name()})
		})
	each(w, x, "queues", queuesToExport, func(v *broker.VHost, d **definition.Queue) {
		w.text("name", (*d).Name)
		x.vhost(w, v.Name())
		w.flag("durable", (*d).Durable)
		w.flag("auto_delete", (*d).AutoDelete)
		w.table("arguments", (*d).Arguments)
	})
	each(w, x, "exchanges", exchangesToExport, func(v *broker.VHost, d **definition.Exchange) {
		w.text("name", (*d).Name)
		x.vhost(w, v.Name())
		w.text("type", (*d).Type)
		w.flag("durable", (*d).Durable)
		w.flag("auto_delete", (*d).AutoDelete)
		w.flag("internal", (*d).Internal)
		w.table("arguments", (*d).Arguments)
	})
	each(w, x, "bindings", bindingsToExport, func(v *broker.VHost, b *exchange.Binding) {
		kind := "queue"
		if b.ToExchange {
			kind = "exchange"
		}
		w.text("source", b.Source)
		x.vhost(w, v.Name())
		w.text("destination", b.Destination)
		w.text("destination_type", kind)
		w.text("routing_key", b.RoutingKey)
		w.table("arguments", b.Arguments)
	})
}

func queuesToExport(v *broker.VHost) (list []*definition.Queue) {
	for _, queue := range v.Queues() {
		if !queue.Definition.Exclusive {
			list = append(list, queue.Definition)
		}
	}
	return list
}

// reserved is what names begin with that only the server gives.
const reserved = "amq."

func exchangesToExport(v *broker.VHost) (list []*definition.Exchange) {
	for _, x := range v.Exchanges() {
		if x.Name != "" && !strings.HasPrefix(x.Name, reserved) {
			list = append(list, x)
		}
	}
	return list
}

func bindingsToExport(v *broker.VHost) (list []exchange.Binding) {
	exclusive := map[string]bool{}
	for _, queue := range v.Queues() {
		if queue.Definition.Exclusive {
			exclusive[queue.Name()] = true
		}
	}
	for _, b := range v.Bindings() {
		if b.Source != "" && (b.ToExchange || !exclusive[b.Destination]) {
			list = append(list, b)
		}
	}
	return list
}
