package management

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

// got is what a get answers, as far as tests look at it.
type got []struct {
	Payload         string `json:"payload"`
	PayloadEncoding string `json:"payload_encoding"`
	PayloadBytes    int    `json:"payload_bytes"`
	Redelivered     bool   `json:"redelivered"`
	RoutingKey      string `json:"routing_key"`
	MessageCount    int    `json:"message_count"`
	Properties      any    `json:"properties"`
}

func (h *house) getMessages(queue, ackMode string, count int) got {
	h.t.Helper()
	a := h.ask("guest", "POST", "/api/queues/%2F/"+queue+"/get",
		fmt.Sprintf(`{"count":%d,"ackmode":%q,"encoding":"auto"}`, count, ackMode))
	if a.status != 200 {
		h.t.Fatalf("get: %d %s", a.status, a.body)
	}
	return decoded[got](h.t, a)
}

func (h *house) ready(queue string) int {
	h.t.Helper()
	return h.broker.VHost("/").Queue(queue).Stats().Ready
}

func (h *house) publishBody(queue, payload string, more string) {
	h.t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		h.t.Fatal(err)
	}
	a := h.ask("guest", "POST", "/api/exchanges/%2F/amq.default/publish", `{"routing_key":"`+queue+
		`","payload":`+string(text)+`,"payload_encoding":"string","properties":{`+more+`}}`)
	if a.status != 200 || a.body != `{"routed":true}` {
		h.t.Fatalf("publish: %d %s", a.status, a.body)
	}
}

func TestAckModesSayWhatBecomesOfMessages(t *testing.T) {
	h := open(t)
	h.declare("q")
	for i := range 5 {
		h.publishBody("q", fmt.Sprint("m", i), "")
	}
	for _, step := range []struct {
		mode        string
		count       int
		first       string
		redelivered bool
		left        int
	}{
		{"ack_requeue_true", 3, "m0", false, 5},
		{"reject_requeue_true", 2, "m0", true, 5},
		{"ack_requeue_false", 2, "m0", true, 3},
		{"reject_requeue_false", 1, "m2", true, 2},
		{"ack_requeue_false", 9, "m3", false, 0},
	} {
		list := h.getMessages("q", step.mode, step.count)
		if len(list) == 0 || list[0].Payload != step.first ||
			list[0].Redelivered != step.redelivered || h.ready("q") != step.left {
			t.Fatalf("%s: %v, and %d are left", step.mode, list, h.ready("q"))
		}
	}
	if s := h.broker.VHost("/").Queue("q").Stats(); s.Unacked != 0 {
		t.Errorf("%d are not settled", s.Unacked)
	}
}

func TestPropertiesComeBackAsTheyWent(t *testing.T) {
	h := open(t)
	h.declare("q")
	const properties = `"app_id":"a","cluster_id":"","content_encoding":"e","content_type":"t",` +
		`"correlation_id":"c","delivery_mode":2,"expiration":"60000","headers":{"b":true,` +
		`"f":1.5,"l":[1,"x"],"n":-7,"o":{"p":"q"}},"message_id":"m","priority":3,"reply_to":"r",` +
		`"timestamp":1700000000,"type":"y","user_id":"guest"`
	h.publishBody("q", "größe", properties)
	list := h.getMessages("q", "ack_requeue_false", 1)
	text, err := json.Marshal(list[0].Properties)
	want := "{" + strings.Replace(properties, `"cluster_id":"",`, "", 1) + "}"
	if err != nil || string(text) != want {
		t.Errorf("the properties are\n%s, not\n%s", text, want)
	}
	if list[0].Payload != "größe" || list[0].PayloadBytes != len("größe") {
		t.Errorf("the payload is %v", list[0])
	}
}

func TestFurtherKeysCountByHTTP(t *testing.T) {
	h := open(t)
	h.declare("a", "b", "c")
	h.publishBody("a", "x", `"headers":{"CC":["b"],"BCC":["c","missing"]}`)
	for _, queue := range []string{"a", "b", "c"} {
		list := h.getMessages(queue, "ack_requeue_false", 2)
		if len(list) != 1 || fmt.Sprint(list[0].Properties) != "map[headers:map[CC:[b]]]" {
			t.Errorf("%s: %v", queue, list)
		}
	}
	a := h.ask("guest", "POST", "/api/exchanges/%2F/amq.default/publish", `{"routing_key":"a",
		"payload":"","payload_encoding":"string","properties":{"headers":{"CC":"b"}}}`)
	if a.status != 400 || !strings.Contains(a.body, "unacceptable_type_in_header") {
		t.Errorf("CC that is no list: %d %s", a.status, a.body)
	}
}

func TestGetEndsWithEnoughBytes(t *testing.T) {
	h := open(t)
	h.declare("q")
	big := make([]byte, getBytesMax/2)
	d := h.newDesk(h.access())
	defer d.close()
	for range 3 {
		l := letter{key: "q", properties: (&amqp.Properties{}).AppendTo(nil), body: big}
		if _, err := d.publish(&l, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.await(0); err != nil {
		t.Fatal(err)
	}
	a := h.ask("guest", "POST", "/api/queues/%2F/q/get",
		`{"count":3,"ackmode":"ack_requeue_false","encoding":"base64","truncate":3}`)
	list := decoded[got](t, a)
	if len(list) != 2 || list[0].Payload != "AAAA" || list[0].PayloadBytes != len(big) {
		t.Errorf("%d messages in one answer: %s", len(list), a.body)
	}
	if h.ready("q") != 1 {
		t.Errorf("%d are left", h.ready("q"))
	}
}

func TestGetEndsWithEnoughEmptyMessages(t *testing.T) {
	h := open(t)
	h.declare("q")
	const most = getBytesMax / getCost
	h.publish("q", most+10)
	if list := h.getMessages("q", "ack_requeue_true", most+10); len(list) > most ||
		len(list) < most/2 {
		t.Errorf("%d messages in one answer", len(list))
	}
	if h.ready("q") != most+10 {
		t.Errorf("%d are left", h.ready("q"))
	}
}

func TestMoveTakesWhatWasThere(t *testing.T) {
	h := open(t)
	h.declare("from", "to")
	const count = 3*moveTogether + 7
	h.publish("from", count)
	a := h.ask("guest", "POST", "/api/warren/queues/%2F/from/move", `{"queue":"to","count":5}`)
	if a.status != 200 || a.body != `{"moved":5}` || h.ready("to") != 5 {
		t.Fatalf("%d %s, %d arrived", a.status, a.body, h.ready("to"))
	}
	a = h.ask("guest", "POST", "/api/warren/queues/%2F/from/move", `{"queue":"to"}`)
	if a.body != fmt.Sprintf(`{"moved":%d}`, count-5) || h.ready("to") != count ||
		h.ready("from") != 0 {
		t.Fatalf("%s: %d arrived, %d stay", a.body, h.ready("to"), h.ready("from"))
	}
	// Onto itself: each once, and it ends.
	a = h.ask("guest", "POST", "/api/warren/queues/%2F/to/move", `{"queue":"to"}`)
	if a.body != fmt.Sprintf(`{"moved":%d}`, count) || h.ready("to") != count {
		t.Errorf("onto itself: %s, %d are there", a.body, h.ready("to"))
	}
}

func TestWhatCannotBeMovedStays(t *testing.T) {
	h := open(t)
	h.declare("from")
	a := h.ask("guest", "PUT", "/api/queues/%2F/small",
		`{"arguments":{"x-max-length":3,"x-overflow":"reject-publish"}}`)
	if a.status != 201 {
		t.Fatal(a)
	}
	h.publish("from", 10)
	a = h.ask("guest", "POST", "/api/warren/queues/%2F/from/move", `{"queue":"small"}`)
	answer := decoded[map[string]any](t, a)
	if answer["moved"] != 3.0 || answer["stopped"] == nil {
		t.Errorf("into a queue that takes 3: %d %s", a.status, a.body)
	}
	for _, body := range []string{
		`{"exchange":"amq.fanout"}`, `{"exchange":"missing"}`, `{"queue":"missing"}`, `{}`,
		`{"queue":"small","exchange":"amq.fanout"}`,
	} {
		if a := h.ask("guest", "POST", "/api/warren/queues/%2F/from/move", body); a.status < 400 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	s := h.broker.VHost("/").Queue("from").Stats()
	if s.Ready != 7 || s.Unacked != 0 || h.ready("small") != 3 {
		t.Errorf("%d stay, %d unacknowledged, %d arrived", s.Ready, s.Unacked, h.ready("small"))
	}
}
