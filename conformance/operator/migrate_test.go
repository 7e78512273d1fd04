package operator

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
)

// migrated is how many messages there are.
const migrated = 10000

// place is a queue that is moved.
type place struct{ vhost, queue string }

func places() []place {
	return []place{
		{"/", "plain"}, {"/", "priority"}, {"/", "gone with consumers"}, {"orders", "quorum"},
		{"orders", "é/slash"},
	}
}

// TestARabbitMQIsMoved: everything is there afterwards, in its order, and nothing twice.
func TestARabbitMQIsMoved(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	source := startRabbitMQ(ctx, t)
	binary, err := broker.WarrenBinary(ctx, t.TempDir())
	broker.Need(t, err)
	data, folder := t.TempDir(), t.TempDir()
	target, err := broker.StartWarren(ctx, binary, data)
	broker.Need(t, err)
	t.Cleanup(target.Stop)
	declare(ctx, t, source)
	sent := publish(ctx, t, source)

	migrate := []string{binary, "migrate", "--data", data, "--json",
		"--from", "http://guest:guest@" + source.Management()}
	dry := call(ctx, t, folder, "", append(migrate, "--dry-run")...)
	if dry.code != 0 || !strings.Contains(dry.stdout, `"priority"`) {
		t.Fatalf("the dry run ends with %+v", dry)
	}
	// A first call is cut off in the middle; what a second one finds goes on from there.
	hurried, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	interrupted(hurried, t, folder, migrate)
	moved := call(ctx, t, folder, "", migrate...)
	if moved.code != 0 {
		t.Fatalf("the move ends with %d\n%s%s", moved.code, moved.stdout, moved.stderr)
	}
	for _, p := range places() {
		if left := consume(t, source, p); len(left) > 0 {
			t.Errorf("%d messages of %v are left at the source", len(left), p)
		}
		got := consume(t, target, p)
		if len(got) != len(sent[p]) {
			t.Errorf("%v has %d messages, want %d", p, len(got), len(sent[p]))
			continue
		}
		for i := range got {
			if got[i] != sent[p][i] {
				t.Errorf("message %d of %v is\n%s, want\n%s", i, p, got[i], sent[p][i])
				break
			}
		}
	}
	compareDefinitions(ctx, t, binary, folder, data, source)
}

// interrupted calls a program and interrupts it when ctx ends.
func interrupted(ctx context.Context, t *testing.T, folder string, words []string) {
	t.Helper()
	done := make(chan printed, 1)
	go func() {
		words := append([]string{"timeout", "--signal=INT", "1"}, words...)
		done <- call(context.WithoutCancel(ctx), t, folder, "", words...)
	}()
	if got := <-done; got.code != 0 && got.code != 124 {
		t.Errorf("the call that is cut off ends with %+v", got)
	}
}

// compareDefinitions has warren compare itself with the source.
func compareDefinitions(
	ctx context.Context, t *testing.T, binary, folder, data string, source *broker.Broker,
) {
	t.Helper()
	file := folder + "/source.json"
	got := call(ctx, t, folder, "", binary, "definitions", "export", file, "--uri",
		"http://guest:guest@"+source.Management())
	if got.code != 0 {
		t.Fatalf("export: %+v", got)
	}
	got = call(ctx, t, folder, "", binary, "definitions", "plan", file, "--data", data)
	if got.code != 0 {
		t.Errorf("afterwards this differs:\n%s", got.stdout)
	}
	got = call(ctx, t, folder, "", binary, "users", "list", "--columns", "name", "--no-headers",
		"--data", data)
	if got.stdout != "ann\nguest\n" {
		t.Errorf("the users are %q", got.stdout)
	}
}

// declare makes what is moved.
func declare(ctx context.Context, t *testing.T, b *broker.Broker) {
	t.Helper()
	for _, c := range [][3]string{
		{"PUT", "/api/users/ann", `{"password":"secret","tags":"monitoring"}`},
		{"PUT", "/api/permissions/orders/ann", `{"configure":"^a","write":".*","read":".*"}`},
		{"PUT", "/api/topic-permissions/orders/ann",
			`{"exchange":"amq.topic","write":"^a","read":"^b"}`},
		{"PUT", "/api/queues/%2F/plain", `{"durable":true}`},
		{"PUT", "/api/queues/%2F/priority", `{"durable":true,"arguments":{"x-max-priority":9}}`},
		{"PUT", "/api/queues/%2F/gone%20with%20consumers", `{"durable":true,"auto_delete":true}`},
		{"PUT", "/api/queues/orders/quorum",
			`{"durable":true,"arguments":{"x-queue-type":"quorum"}}`},
		{"PUT", "/api/queues/orders/%C3%A9%2Fslash",
			`{"durable":true,"arguments":{"x-max-length":100000}}`},
		{"PUT", "/api/exchanges/orders/e", `{"type":"topic","durable":true,"arguments":{}}`},
		{"POST", "/api/bindings/orders/e/e/q/quorum", `{"routing_key":"a.#","arguments":{}}`},
		{"PUT", "/api/policies/orders/p",
			`{"pattern":"^q","definition":{"max-length":200000},"apply-to":"queues"}`},
		{"PUT", "/api/vhost-limits/orders/max-queues", `{"value":100}`},
	} {
		ask(ctx, t, b, c[0], c[1], c[2])
	}
}

// publish fills the queues and returns what is in each, in its order.
func publish(ctx context.Context, t *testing.T, b *broker.Broker) map[place][]string {
	t.Helper()
	sent := map[place][]string{}
	for n, p := range places() {
		connection, err := amqp.Dial(b.URL(p.vhost))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		channel, err := connection.Channel()
		if err != nil {
			t.Fatal(err)
		}
		if err := channel.Confirm(false); err != nil {
			t.Fatal(err)
		}
		var last *amqp.DeferredConfirmation
		for i := range migrated / len(places()) {
			m := message(i, p)
			last, err = channel.PublishWithDeferredConfirmWithContext(ctx, "", p.queue, true,
				false, m)
			if err != nil {
				t.Fatal(err)
			}
			sent[places()[n]] = append(sent[places()[n]], content(amqp.Delivery{
				Headers: m.Headers, ContentType: m.ContentType, DeliveryMode: m.DeliveryMode,
				Priority: m.Priority, CorrelationId: m.CorrelationId, ReplyTo: m.ReplyTo,
				Expiration: m.Expiration, MessageId: m.MessageId, Timestamp: m.Timestamp,
				Type: m.Type, UserId: m.UserId, AppId: m.AppId, RoutingKey: p.queue,
				Body: m.Body, ContentEncoding: m.ContentEncoding,
			}))
		}
		if !last.Wait() {
			t.Fatal("the last message is not confirmed")
		}
	}
	return sent
}

// message has properties of all kinds; some are large, and some name further queues.
func message(i int, p place) amqp.Publishing {
	m := amqp.Publishing{
		ContentType: "text/plain", MessageId: fmt.Sprint(i), Body: []byte(fmt.Sprint("body ", i)),
		DeliveryMode: uint8(1 + i%2),
	}
	if i%3 == 0 {
		m.Headers = amqp.Table{"n": int64(i), "list": []any{"a", int32(1), true},
			"inner": amqp.Table{"float": 1.5}}
	}
	if i%5 == 0 {
		m.UserId, m.AppId, m.Type, m.ReplyTo, m.CorrelationId = "guest", "app", "t", "r", "c"
		m.Timestamp, m.Expiration = time.Unix(1700000000, 0), "86400000"
		m.ContentEncoding = "identity"
	}
	if i%7 == 0 && p.queue == "plain" {
		m.Headers = amqp.Table{"CC": []any{"nowhere"}}
	}
	if p.queue != "priority" && i%11 == 0 {
		m.Priority = 5
	}
	if i%500 == 0 {
		m.Body = make([]byte, 300000)
	}
	return m
}

// content is everything of a message that a move must not change.
func content(d amqp.Delivery) string {
	headers, err := json.Marshal(d.Headers)
	if err != nil || len(d.Headers) == 0 {
		headers = nil
	}
	return fmt.Sprintln(string(headers), d.ContentType, d.ContentEncoding, d.DeliveryMode,
		d.Priority, d.CorrelationId, d.ReplyTo, d.Expiration, d.MessageId, d.Timestamp.Unix(),
		d.Type, d.UserId, d.AppId, d.RoutingKey, len(d.Body), sha256.Sum256(d.Body))
}

// consume takes everything out of a queue.
func consume(t *testing.T, b *broker.Broker, p place) (got []string) {
	t.Helper()
	connection, err := amqp.Dial(b.URL(p.vhost))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		t.Fatal(err)
	}
	for {
		d, ok, err := channel.Get(p.queue, true)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return got
		}
		delete(d.Headers, "x-delivery-count") // what a quorum queue adds
		got = append(got, content(d))
	}
}
