package management

import (
	"net/http"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

func declareRoutes() []route {
	return []route{
		{method: "PUT", path: "/api/exchanges/:vhost/:exchange", needs: managers, do: putExchange,
			text: "Declares an exchange", body: "exchange"},
		{method: "DELETE", path: "/api/exchanges/:vhost/:exchange", needs: managers,
			do: deleteExchange, text: "Deletes an exchange", query: []string{"if-unused"}},
		{method: "PUT", path: "/api/queues/:vhost/:queue", needs: managers, do: putQueue,
			text: "Declares a queue", body: "queue"},
		{method: "DELETE", path: "/api/queues/:vhost/:queue", needs: managers, do: deleteQueue,
			text: "Deletes a queue with its messages", query: []string{"if-empty", "if-unused"}},
		{method: "DELETE", path: "/api/queues/:vhost/:queue/contents", needs: managers,
			do: purgeQueue, text: "Drops the ready messages of a queue"},
		{method: "POST", path: "/api/queues/:vhost/:queue/actions", needs: managers,
			do: actOnQueue, body: "action",
			text: "Synchronises mirrors of a queue, of which there are none: changes nothing"},
		{method: "POST", path: "/api/rebalance/queues", needs: administrators, do: rebalance,
			text: "Spreads leaders of queues over the nodes, of which there is one"},
	}
}

// exchangeBody is an exchange as clients send it. What it does not say is false; the type is
// direct.
type exchangeBody struct {
	Type       string     `json:"type"`
	Durable    flag       `json:"durable"`
	AutoDelete flag       `json:"auto_delete"`
	Internal   flag       `json:"internal"`
	Arguments  amqp.Table `json:"arguments"`
}

func putExchange(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	x := exchangeBody{Type: "direct"}
	if err := q.decode(&x); err != nil {
		return err
	}
	name := exchangeName(q.param("exchange"))
	existed := q.h.o.Broker.VHost(a.VHostName()).Exchange(name) != nil
	if err := declareExchange(a, name, &x); err != nil {
		return err
	}
	return q.created(!existed)
}

// declareExchange declares an exchange, and tells why that was refused as RabbitMQ's API does.
func declareExchange(a *broker.Access, name string, x *exchangeBody) error {
	return declared(a.DeclareExchange(definition.Exchange{
		Name: name, Type: x.Type, Durable: bool(x.Durable), AutoDelete: bool(x.AutoDelete),
		Internal: bool(x.Internal), Arguments: x.Arguments,
	}))
}

func deleteExchange(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	name := exchangeName(q.param("exchange"))
	if q.h.o.Broker.VHost(a.VHostName()).Exchange(name) == nil {
		return notFound()
	}
	if err := declared(a.DeleteExchange(name, q.flag("if-unused"))); err != nil {
		return err
	}
	return q.done()
}

// queueBody is a queue as clients send it. What it does not say is false. That it is exclusive, or
// on which node, does not count: RabbitMQ's API has no exclusive queues either.
type queueBody struct {
	Durable    flag       `json:"durable"`
	AutoDelete flag       `json:"auto_delete"`
	Arguments  amqp.Table `json:"arguments"`
}

func putQueue(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	var d queueBody
	if err := q.decode(&d); err != nil {
		return err
	}
	name := q.param("queue")
	existed := q.h.o.Broker.VHost(a.VHostName()).Queue(name) != nil
	if err := declareQueue(a, name, &d); err != nil {
		return err
	}
	return q.created(!existed)
}

// declareQueue declares a queue, and tells why that was refused as RabbitMQ's API does.
func declareQueue(a *broker.Access, name string, d *queueBody) error {
	if name == "" {
		return badRequest("queue has no name")
	}
	_, err := a.DeclareQueue(definition.Queue{
		Name: name, Durable: bool(d.Durable), AutoDelete: bool(d.AutoDelete),
		Arguments: d.Arguments,
	})
	return declared(err)
}

// queue returns the queue of the path, or the error for one that is not there.
func (q *request) queueOf(a *broker.Access) (*broker.Queue, error) {
	if found := q.h.o.Broker.VHost(a.VHostName()).Queue(q.param("queue")); found != nil {
		return found, nil
	}
	return nil, notFound()
}

func deleteQueue(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	if _, err := q.queueOf(a); err != nil {
		return err
	}
	b := q.h.o.Broker.NewBatch()
	defer b.Release()
	err = declared(a.DeleteQueue(b, q.param("queue"), q.flag("if-unused"), q.flag("if-empty"),
		func(int) {}))
	if err != nil {
		return err
	}
	return q.done()
}

func purgeQueue(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	if _, err := q.queueOf(a); err != nil {
		return err
	}
	b := q.h.o.Broker.NewBatch()
	defer b.Release()
	if _, err := a.PurgeQueue(b, q.param("queue")); err != nil {
		return declared(err)
	}
	return q.done()
}

// actOnQueue takes what RabbitMQ does with mirrored queues, and has nothing to do.
func actOnQueue(q *request) error {
	a, err := q.access()
	if err != nil {
		return err
	}
	if _, err := q.queueOf(a); err != nil {
		return err
	}
	var body struct {
		Action *string `json:"action"`
	}
	if err := q.decode(&body); err != nil {
		return err
	}
	switch {
	case body.Action == nil:
		return missing("action")
	case *body.Action != "sync" && *body.Action != "cancel_sync":
		return refused("unknown", *body.Action)
	}
	return q.done()
}

func rebalance(q *request) error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
