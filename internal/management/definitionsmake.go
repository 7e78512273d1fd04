package management

import (
	"net/http"
	"strings"
	"sync"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

func postDefinitions(q *request) error {
	d, err := q.readDefinitions()
	if err == nil {
		err = q.importAll(d)
	}
	if err != nil {
		return err
	}
	return q.imported()
}

func postDefinitionsOf(q *request) error {
	name := q.param("vhost")
	if q.h.o.Broker.VHost(name) == nil {
		return vhostNotFound()
	}
	d, err := q.readDefinitions()
	if err != nil {
		return err
	}
	d.moveTo(name)
	if err := q.importDeclared(d); err != nil {
		return err
	}
	return q.imported()
}

// moveTo makes everything that is in some vhost be in this one.
func (d *definitions) moveTo(vhost string) {
	for i := range d.Queues {
		d.Queues[i].VHost = vhost
	}
	for i := range d.Exchanges {
		d.Exchanges[i].VHost = vhost
	}
	for i := range d.Bindings {
		d.Bindings[i].VHost = vhost
	}
	for i := range d.Policies {
		d.Policies[i].VHost = vhost
	}
	for i := range d.Parameters {
		d.Parameters[i].VHost = vhost
	}
}

// importAll makes what definitions say: first who and where, then what, as RabbitMQ does. It ends
// with the first mistake; what was made before stays.
func (q *request) importAll(d *definitions) error {
	for i := range d.Users {
		if _, err := q.makeUser(&d.Users[i]); err != nil {
			return err
		}
	}
	for i := range d.VHosts {
		if err := q.importVHost(&d.VHosts[i]); err != nil {
			return err
		}
	}
	for i := range d.Permissions {
		p := &d.Permissions[i]
		if err := q.whose(p.User, p.VHost); err != nil {
			return err
		}
		if err := q.makePermission(p); err != nil {
			return err
		}
	}
	for i := range d.TopicPermissions {
		p := &d.TopicPermissions[i]
		if err := q.whose(p.User, p.VHost); err != nil {
			return err
		}
		if err := q.makeTopicPermission(p); err != nil {
			return err
		}
	}
	if err := q.importDeclared(d); err != nil {
		return err
	}
	return q.importGlobal(d.GlobalParameters)
}

func (q *request) importVHost(v *namedVHost) error {
	if _, err := q.makeVHost(v.Name, &v.vhostBody); err != nil {
		return err
	}
	if len(v.Limits) == 0 {
		return nil
	}
	if err := v.Limits.check(vhostLimits); err != nil {
		return validation(err)
	}
	vhost, err := q.known(v.Name)
	if err != nil {
		return err
	}
	return declared(vhost.PutLimits(definition.Limits(v.Limits)))
}

// whose refuses a permission of a user, or in a vhost, that is not there.
func (q *request) whose(user, vhost string) error {
	if _, ok := q.h.o.Broker.User(user); !ok {
		return refused("no_such_user", user)
	}
	_, err := q.known(vhost)
	return err
}

// known returns a vhost that definitions name.
func (q *request) known(name string) (*broker.VHost, error) {
	if v := q.h.o.Broker.VHost(name); v != nil {
		return v, nil
	}
	return nil, refused("no_such_vhost", name)
}

// internalID is the global parameter that tells one RabbitMQ cluster from all others. It is not
// taken over from another.
const internalID = "internal_cluster_id"

func (q *request) importGlobal(list []parameterBody) error {
	for _, p := range list {
		if p.Name == internalID {
			continue
		}
		if p.Value == nil {
			return missing("value")
		}
		_, err := q.h.o.Broker.PutGlobalParameter(definition.Parameter{
			Name: p.Name, Value: compacted(p.Value),
		})
		if err != nil {
			return declared(err)
		}
	}
	return nil
}

// importDeclared makes what is in vhosts. Policies come after what they are about, and limits last:
// what was there before the limit does not count against it.
func (q *request) importDeclared(d *definitions) error {
	if err := together(d.Exchanges, q.importExchange); err != nil {
		return err
	}
	if err := together(d.Queues, q.importQueue); err != nil {
		return err
	}
	if err := together(d.Bindings, q.importBinding); err != nil {
		return err
	}
	for i := range d.Policies {
		p := &d.Policies[i]
		v, err := q.known(p.VHost)
		if err != nil {
			return err
		}
		set := plainPolicies()
		set.escapes = false
		if err := set.make(v, p); err != nil {
			return concerning(err, p.VHost, p.Name)
		}
	}
	for i := range d.Parameters {
		p := &d.Parameters[i]
		v, err := q.known(p.VHost)
		if err != nil {
			return err
		}
		if err := q.makeParameter(v, p); err != nil {
			return concerning(err, p.VHost, p.Component, p.Name)
		}
	}
	return nil
}

// concerning says after a bad request what it is about, as RabbitMQ does.
func concerning(err error, place ...string) error {
	f := failureOf(err)
	if f == nil || f.status != http.StatusBadRequest || f.terms != nil {
		return err
	}
	return badRequest("%s (%s)", f.reason, strings.Join(place, "/"))
}

// importers is how many declare at once: they wait for the disk together.
const importers = 64

// together calls f for each of the items, some at a time, and returns the error of one of those
// that failed; after one has failed no more are begun.
func together[T any](items []T, f func(*T) error) error {
	var mu sync.Mutex
	var failed error
	next := 0
	take := func() *T {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil || next == len(items) {
			return nil
		}
		next++
		return &items[next-1]
	}
	var working sync.WaitGroup
	for range min(importers, len(items)) {
		working.Go(func() {
			for item := take(); item != nil; item = take() {
				if err := f(item); err != nil {
					mu.Lock()
					if failed == nil {
						failed = err
					}
					mu.Unlock()
				}
			}
		})
	}
	working.Wait()
	return failed
}

// importExchange makes an exchange. One that is there stays as it is.
func (q *request) importExchange(x *namedExchange) error {
	v, err := q.known(x.VHost)
	if err != nil {
		return err
	}
	if old := v.Exchange(x.Name); old != nil {
		if old.Type != x.Type {
			q.keeps("exchange", x.VHost, x.Name)
		}
		return nil
	}
	a, refusal := q.h.o.Broker.ActAsOperator(x.VHost)
	if refusal != nil {
		return declared(refusal)
	}
	return declareExchange(a, x.Name, &x.exchangeBody)
}

// keeps tells the log that something is otherwise than in the definitions.
func (q *request) keeps(kind, vhost, name string) {
	q.h.o.Logger.Warn("import of definitions: what is there stays as it is",
		"kind", kind, "vhost", vhost, "name", name)
}

// importQueue makes a queue. One that is there stays as it is.
func (q *request) importQueue(d *namedQueue) error {
	v, err := q.known(d.VHost)
	if err != nil {
		return err
	}
	if old := v.Queue(d.Name); old != nil {
		if !old.Definition.Arguments.Equal(d.Arguments) {
			q.keeps("queue", d.VHost, d.Name)
		}
		return nil
	}
	a, refusal := q.h.o.Broker.ActAsOperator(d.VHost)
	if refusal != nil {
		return declared(refusal)
	}
	_, refusal = a.RestoreQueue(definition.Queue{
		Name: d.Name, Durable: bool(d.Durable), AutoDelete: bool(d.AutoDelete),
		Arguments: d.Arguments,
	})
	return declared(refusal)
}

// importBinding makes a binding. One whose ends are not there is passed over: RabbitMQ exports
// bindings of queues that it does not export.
func (q *request) importBinding(b *namedBinding) error {
	if _, err := q.known(b.VHost); err != nil {
		return err
	}
	a, refusal := q.h.o.Broker.ActAsOperator(b.VHost)
	if refusal != nil {
		return declared(refusal)
	}
	refusal = a.Bind(exchange.Binding{
		Source: b.Source, Destination: b.Destination, ToExchange: b.DestinationType == "exchange",
		RoutingKey: b.RoutingKey, Arguments: b.Arguments,
	})
	if refusal != nil && (refusal.Code == amqp.NotFound || b.Source == "") {
		q.h.o.Logger.Warn("import of definitions: a binding is left out", "vhost", b.VHost,
			"source", b.Source, "destination", b.Destination, "error", refusal)
		return nil
	}
	return declared(refusal)
}
