package management

import (
	"net/http"
	"net/url"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

func bindingChangeRoutes() []route {
	const path = "/api/bindings/:vhost/e/:source/"
	return []route{
		{method: "POST", path: path + "q/:destination", needs: managers, do: postBinding,
			text: "Binds a queue to an exchange", body: "binding"},
		{method: "POST", path: path + "e/:destination", needs: managers, do: postBinding,
			text: "Binds an exchange to an exchange", body: "binding"},
		{method: "DELETE", path: path + "q/:destination/:props", needs: managers,
			do: deleteBinding, text: "Unbinds a queue from an exchange"},
		{method: "DELETE", path: path + "e/:destination/:props", needs: managers,
			do: deleteBinding, text: "Unbinds an exchange from an exchange"},
	}
}

// ends returns the binding of the path, without key and arguments.
func (q *request) ends() exchange.Binding {
	b := exchange.Binding{
		Source: exchangeName(q.param("source")), Destination: q.param("destination"),
		ToExchange: q.segments[5] == "e", // api bindings :vhost e :source e
	}
	if b.ToExchange {
		b.Destination = exchangeName(b.Destination)
	}
	return b
}

// bindingBody is a binding as clients send it.
type bindingBody struct {
	RoutingKey string     `json:"routing_key"`
	Arguments  amqp.Table `json:"arguments"`
}

func postBinding(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	var body bindingBody
	if err := q.decode(&body); err != nil {
		return err
	}
	if len(body.RoutingKey) > amqp.ShortStrMax {
		return badRequest("a routing key has at most %d octets", amqp.ShortStrMax)
	}
	b := q.ends()
	b.RoutingKey, b.Arguments = body.RoutingKey, body.Arguments
	if err := a.Bind(b); err != nil {
		return declared(err)
	}
	q.w.Header().Set("Location",
		url.QueryEscape(q.param("destination"))+"/"+url.QueryEscape(propertiesKey(&b)))
	q.w.WriteHeader(http.StatusCreated)
	return nil
}

func deleteBinding(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	ends := q.ends()
	if ends.Source == "" {
		return notAuthorized("Access refused.")
	}
	vhost := q.h.o.Broker.VHost(a.VHostName())
	for _, b := range vhost.BindingsTo(ends.Destination, ends.ToExchange) {
		if b.Source == ends.Source && hasPropertiesKey(&b, q.param("props")) {
			if err := a.Unbind(b); err != nil {
				return declared(err)
			}
			return q.done()
		}
	}
	return notFound()
}
