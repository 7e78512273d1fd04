package management

import (
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
)

func exchangeReadRoutes() []route {
	const text = "Exchanges, with how much goes through them"
	return []route{
		{method: "GET", path: "/api/exchanges", needs: managers, do: listExchanges, text: text},
		{method: "GET", path: "/api/exchanges/:vhost", needs: managers, do: listExchanges,
			text: text},
		{method: "GET", path: "/api/exchanges/:vhost/:exchange", needs: managers, do: getExchange,
			text: "One exchange"},
	}
}

// inVHost is something declared, in its vhost.
type inVHost[T any] struct {
	vhost *broker.VHost
	what  T
}

func listExchanges(q *request) error {
	type item = inVHost[*definition.Exchange]
	vhosts, err := q.chosen()
	if err != nil {
		return err
	}
	v, err := q.view()
	if err != nil {
		return err
	}
	l := listing[item]{
		paged: true,
		name:  func(x *item) string { return x.what.Name },
		place: func(x *item) (string, string) { return x.vhost.Name(), x.what.Name },
		write: func(w *writer, x *item) { v.exchange(w, x.vhost, x.what) },
	}
	for _, vhost := range vhosts {
		for _, x := range vhost.Exchanges() {
			l.items = append(l.items, item{vhost, x})
		}
	}
	return show(q, &l)
}

func getExchange(q *request) error {
	vhost, err := q.vhost()
	if err != nil {
		return err
	}
	x := vhost.Exchange(exchangeName(q.param("exchange")))
	if x == nil {
		return notFound()
	}
	v, err := q.view()
	if err != nil {
		return err
	}
	return q.showOne(func(w *writer) {
		v.exchange(w, vhost, x)
		if !v.off {
			w.raw("incoming", "[]")
			w.raw("outgoing", "[]")
		}
	})
}

// internalUser is who RabbitMQ says has declared what nobody did.
const internalUser = "rmq-internal"

func (v *view) exchange(w *writer, vhost *broker.VHost, x *definition.Exchange) {
	w.text("name", x.Name)
	w.text("vhost", vhost.Name())
	w.text("type", x.Type)
	w.flag("durable", x.Durable)
	w.flag("auto_delete", x.AutoDelete)
	w.flag("internal", x.Internal)
	w.table("arguments", x.Arguments)
	if w.wants("policy") {
		if policy := vhost.ExchangePolicy(x.Name); policy != "" {
			w.text("policy", policy)
		}
	}
	w.text("user_who_performed_action", internalUser)
	if v.off || v.uncounted || !w.wants("message_stats") {
		return
	}
	stats := vhost.ExchangeStats(x.Name)
	n := ofStats(&stats)
	f := figuresOf(v.h.sampler.exchanges, exchangeID{vhost.Name(), x.Name}, v.now, n[:],
		v.messages)
	w.messageStats(&f, throughExchange())
}
