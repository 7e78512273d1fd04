package management

import (
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/exchange"
)

func bindingReadRoutes() []route {
	const text = "Bindings"
	const between = "/api/bindings/:vhost/e/:source/"
	return []route{
		{method: "GET", path: "/api/bindings", needs: managers, do: listBindings, text: text},
		{method: "GET", path: "/api/bindings/:vhost", needs: managers, do: listBindings,
			text: text},
		{method: "GET", path: "/api/exchanges/:vhost/:exchange/bindings/source", needs: managers,
			do: listBindingsFrom, text: "Bindings whose source an exchange is"},
		{method: "GET", path: "/api/exchanges/:vhost/:exchange/bindings/destination",
			needs: managers, do: listBindingsToExchange,
			text: "Bindings whose destination an exchange is"},
		{method: "GET", path: "/api/queues/:vhost/:queue/bindings", needs: managers,
			do: listBindingsToQueue, text: "Bindings of a queue"},
		{method: "GET", path: between + "q/:destination", needs: managers,
			do: listBindingsBetween, text: "Bindings between an exchange and a queue"},
		{method: "GET", path: between + "e/:destination", needs: managers,
			do: listBindingsBetween, text: "Bindings between two exchanges"},
		{method: "GET", path: between + "q/:destination/:props", needs: managers, do: getBinding,
			text: "One binding, by its properties_key"},
		{method: "GET", path: between + "e/:destination/:props", needs: managers, do: getBinding,
			text: "One binding, by its properties_key"},
	}
}

// showBindings answers with bindings of vhosts.
func showBindings(q *request, vhosts []*broker.VHost, of func(v *broker.VHost) []exchange.Binding,
) error {
	type item = inVHost[exchange.Binding]
	l := listing[item]{
		write: func(w *writer, b *item) { writeBinding(w, b.vhost.Name(), &b.what) },
		place: func(b *item) (string, string) {
			const below = "\x00" // sorts before all else
			return b.vhost.Name(), b.what.Source + below + b.what.Destination + below +
				b.what.RoutingKey
		},
	}
	for _, v := range vhosts {
		for _, b := range of(v) {
			l.items = append(l.items, item{v, b})
		}
	}
	return show(q, &l)
}

func listBindings(q *request) error {
	vhosts, err := q.chosen()
	if err != nil {
		return err
	}
	return showBindings(q, vhosts, (*broker.VHost).Bindings)
}

// bindingEnd answers with bindings of one exchange or queue, which must be there.
func bindingEnd(q *request, name string, isQueue bool,
	of func(v *broker.VHost) []exchange.Binding,
) error {
	v, err := q.vhost()
	if err != nil {
		return err
	}
	if isQueue && v.Queue(name) == nil || !isQueue && v.Exchange(name) == nil {
		return notFound()
	}
	return showBindings(q, []*broker.VHost{v}, of)
}

func listBindingsFrom(q *request) error {
	name := exchangeName(q.param("exchange"))
	return bindingEnd(q, name, false, func(v *broker.VHost) []exchange.Binding {
		return v.BindingsFrom(name)
	})
}

func listBindingsToExchange(q *request) error {
	name := exchangeName(q.param("exchange"))
	return bindingEnd(q, name, false, func(v *broker.VHost) []exchange.Binding {
		return v.BindingsTo(name, true)
	})
}

func listBindingsToQueue(q *request) error {
	name := q.param("queue")
	return bindingEnd(q, name, true, func(v *broker.VHost) []exchange.Binding {
		return v.BindingsTo(name, false)
	})
}

// bindingsBetween are the bindings between the ends that the path names, which must be there.
func bindingsBetween(q *request) (vhost *broker.VHost, list []exchange.Binding, err error) {
	vhost, err = q.vhost()
	if err != nil {
		return nil, nil, err
	}
	ends := q.ends()
	there := vhost.Exchange(ends.Source) != nil
	if ends.ToExchange {
		there = there && vhost.Exchange(ends.Destination) != nil
	} else {
		there = there && vhost.Queue(ends.Destination) != nil
	}
	if !there {
		return nil, nil, notFound()
	}
	for _, b := range vhost.BindingsTo(ends.Destination, ends.ToExchange) {
		if b.Source == ends.Source {
			list = append(list, b)
		}
	}
	return vhost, list, nil
}

func listBindingsBetween(q *request) error {
	vhost, list, err := bindingsBetween(q)
	if err != nil {
		return err
	}
	return showBindings(q, []*broker.VHost{vhost},
		func(*broker.VHost) []exchange.Binding { return list })
}

func getBinding(q *request) error {
	vhost, list, err := bindingsBetween(q)
	if err != nil {
		return err
	}
	for i := range list {
		if hasPropertiesKey(&list[i], q.param("props")) {
			return q.showOne(func(w *writer) { writeBinding(w, vhost.Name(), &list[i]) })
		}
	}
	return notFound()
}

func writeBinding(w *writer, vhost string, b *exchange.Binding) {
	w.text("source", b.Source)
	w.text("vhost", vhost)
	w.text("destination", b.Destination)
	kind := "queue"
	if b.ToExchange {
		kind = "exchange"
	}
	w.text("destination_type", kind)
	w.text("routing_key", b.RoutingKey)
	w.table("arguments", b.Arguments)
	if w.wants("properties_key") {
		w.text("properties_key", propertiesKey(b))
	}
}
