package conformance

import (
	"context"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rpc: a call and its reply; then a server that answers too much, which the client must not mind.
func rpc(s *stage) {
	server := s.start("server", "rpc_server")
	server.hears(" [x] Awaiting RPC requests")
	s.play("client", "rpc_client", "30")
	server.hears(" [.] fib(30)")
	s.leave(server)
	callChattyServer(s)
}

// callChattyServer plays the server itself. Before the reply to the first call comes one to a
// stranger; before the reply to the second, the first one's again, as from a server that crashed
// between its reply and its acknowledgement.
func callChattyServer(s *stage) {
	channel := s.channel()
	requests, err := channel.Consume("rpc_queue", "", true, false, false, false, nil)
	s.must(err)
	client := s.start("patient client", "rpc_client", "30", "5")

	first := s.request(requests, "30")
	s.checkCallbackQueue(first.ReplyTo)
	s.reply(channel, first.ReplyTo, "a stranger's call", "1")
	s.reply(channel, first.ReplyTo, first.CorrelationId, "832040")

	second := s.request(requests, "5")
	if second.ReplyTo != first.ReplyTo {
		s.t.Errorf("callback queues %s and %s of one client", first.ReplyTo, second.ReplyTo)
	}
	if second.CorrelationId == first.CorrelationId {
		s.t.Errorf("two calls with the correlation id %s", first.CorrelationId)
	}
	s.reply(channel, second.ReplyTo, first.CorrelationId, "832040")
	s.reply(channel, second.ReplyTo, second.CorrelationId, "5")
	s.must(s.within(client.Wait))
	s.record("patient client", client.Lines()...)
}

// request waits for a client's request.
func (s *stage) request(requests <-chan amqp.Delivery, body string) amqp.Delivery {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	select {
	case request := <-requests:
		if string(request.Body) != body || request.ReplyTo == "" || request.CorrelationId == "" {
			s.t.Fatalf("request %q, reply to %q, correlation id %q; want body %q, and both",
				request.Body, request.ReplyTo, request.CorrelationId, body)
		}
		return request
	case <-ctx.Done():
		s.t.Fatal("no request came")
		return amqp.Delivery{}
	}
}

func (s *stage) reply(channel *amqp.Channel, to, correlationID, body string) {
	s.t.Helper()
	s.must(channel.PublishWithContext(s.t.Context(), "", to, false, false, amqp.Publishing{
		CorrelationId: correlationID,
		Body:          []byte(body),
	}))
}

// checkCallbackQueue demands a queue that the broker named and that is its client's alone.
func (s *stage) checkCallbackQueue(name string) {
	s.t.Helper()
	if !strings.HasPrefix(name, "amq.gen-") {
		s.t.Errorf("the callback queue is named %q", name)
	}
	channel := s.channel()
	_, err := channel.QueueDeclarePassive(name, false, false, false, false, nil)
	refusal, refused := err.(*amqp.Error)
	if !refused || refusal.Code != amqp.ResourceLocked {
		s.t.Errorf("asked for another connection's callback queue: %v", err)
	}
}
