package deadletter

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/message"
)

// letterOf lets a message die, and returns the letter.
func letterOf(t *testing.T, m message.Message, d Death) message.Message {
	t.Helper()
	var w Writer
	letter, err := w.Write(&message.Arena{}, &m, &d)
	if err != nil {
		t.Fatal(err)
	}
	if err := letter.Properties().Headers().Validate(); err != nil {
		t.Fatal(err)
	}
	return letter
}

func newMessage(t *testing.T, exchange, key string, p amqp.Properties) message.Message {
	t.Helper()
	var b message.Builder
	err := b.Begin(&message.Arena{}, []byte(exchange), []byte(key), p.AppendTo(nil), 4)
	if err != nil {
		t.Fatal(err)
	}
	b.Append([]byte("body"))
	return b.Done()
}

func deaths(m message.Message) []any {
	list, _ := m.Properties().Headers().Map()["x-death"].([]any)
	return list
}

func TestADeadLetterTellsHowItsMessageDied(t *testing.T) {
	m := newMessage(t, "orders", "new", amqp.Properties{
		ContentType: "text/plain", DeliveryMode: 2, Expiration: "60",
		Headers: amqp.NewTable(map[string]any{"CC": []any{"copy"}, "own": "kept"}),
	})
	letter := letterOf(t, m, Death{Queue: "q", Reason: "expired", At: 99, Exchange: "dead"})
	if got := fmt.Sprintf("%s %s %s", letter.Exchange(), letter.RoutingKey(),
		letter.Body()); got != "dead new body" {
		t.Errorf("the letter is %q", got)
	}
	p := letter.Properties()
	if _, expires := p.Expiration(); expires || !letter.Persistent() {
		t.Error("the letter expires, or is not persistent")
	}
	want := map[string]any{
		"CC": []any{"copy"}, "own": "kept",
		"x-death": []any{map[string]any{
			"count": int64(1), "exchange": "orders", "queue": "q", "reason": "expired",
			"routing-keys": []any{"new", "copy"}, "time": amqp.Timestamp(99),
			"original-expiration": "60",
		}},
		"x-first-death-exchange": "orders", "x-first-death-queue": "q",
		"x-first-death-reason": "expired", "x-last-death-exchange": "orders",
		"x-last-death-queue": "q", "x-last-death-reason": "expired",
	}
	if got := p.Headers().Map(); !reflect.DeepEqual(got, want) {
		t.Errorf("headers\n%v\nwant\n%v", got, want)
	}
}

func TestAKeyOfItsOwnReplacesAllOthers(t *testing.T) {
	m := newMessage(t, "", "q", amqp.Properties{
		Headers: amqp.NewTable(map[string]any{"CC": []any{"copy"}}),
	})
	letter := letterOf(t, m, Death{
		Queue: "q", Reason: "rejected", Exchange: "dead", Key: "other", HasKey: true,
	})
	if string(letter.RoutingKey()) != "other" {
		t.Errorf("the key is %q", letter.RoutingKey())
	}
	headers := letter.Properties().Headers().Map()
	if _, ok := headers["CC"]; ok {
		t.Error("the letter still has header CC")
	}
	death, _ := deaths(letter)[0].(map[string]any)
	if keys := death["routing-keys"]; !reflect.DeepEqual(keys, []any{"q", "copy"}) {
		t.Errorf("it died with the keys %v", keys)
	}
}

func TestDeathsAreCountedByQueueAndReasonTheLastFirst(t *testing.T) {
	m := newMessage(t, "x", "k", amqp.Properties{})
	for _, d := range []Death{
		{Queue: "a", Reason: "rejected", At: 1}, {Queue: "b", Reason: "expired", At: 2},
		{Queue: "a", Reason: "maxlen", At: 3}, {Queue: "a", Reason: "rejected", At: 4},
	} {
		d.Exchange = "dead"
		m = letterOf(t, m, d)
	}
	got := ""
	for _, d := range deaths(m) {
		d, _ := d.(map[string]any)
		got += fmt.Sprint(d["queue"], " ", d["reason"], " ", d["count"], " at ", d["time"], "\n")
	}
	want := "a rejected 2 at 1\na maxlen 1 at 3\nb expired 1 at 2\n"
	if got != want {
		t.Errorf("deaths\n%swant\n%s", got, want)
	}
	headers := m.Properties().Headers().Map()
	if headers["x-first-death-queue"] != "a" || headers["x-first-death-reason"] != "rejected" ||
		headers["x-first-death-exchange"] != "x" || headers["x-last-death-exchange"] != "dead" {
		t.Errorf("headers %v", headers)
	}
}

// TestAForgedHistoryIsNoHarm: what a client wrote into x-death is carried along, or begins anew.
func TestAForgedHistoryIsNoHarm(t *testing.T) {
	table := func(count any) map[string]any {
		return map[string]any{"queue": "q", "reason": "expired", "count": count}
	}
	for _, c := range []struct {
		forged any
		count  int64
		others int
	}{
		{"text", 1, 0},
		{[]any{"text", int64(5)}, 1, 2},
		{[]any{table("many"), "text", table(int64(7))}, 1, 1},
		{[]any{table(int64(7)), table(int64(3))}, 8, 0},
		{[]any{table(int64(-7))}, -6, 0},
		{[]any{table(int64(math.MaxInt64))}, math.MaxInt64, 0},
		{[]any{map[string]any{}, []any{}}, 1, 2},
	} {
		m := newMessage(t, "x", "k", amqp.Properties{
			Headers: amqp.NewTable(map[string]any{"x-death": c.forged, "CC": "no array"}),
		})
		letter := letterOf(t, m, Death{Queue: "q", Reason: "expired"})
		list := deaths(letter)
		first, _ := list[0].(map[string]any)
		if first["count"] != c.count || len(list) != 1+c.others {
			t.Errorf("%v became %v", c.forged, list)
		}
	}
}

func TestACycleWithoutARejectionEnds(t *testing.T) {
	death := func(queue, reason string) any {
		return map[string]any{"queue": queue, "reason": reason}
	}
	for _, c := range []struct {
		deaths []any
		reason string
		cycles bool
	}{
		{nil, "expired", false},
		{[]any{death("q", "expired")}, "expired", true},
		{[]any{death("q", "expired")}, "rejected", false},
		{[]any{death("q", "rejected")}, "expired", false},
		{[]any{death("b", "maxlen"), death("q", "expired")}, "expired", true},
		{[]any{death("b", "rejected"), death("q", "expired")}, "expired", false},
		{[]any{death("q", "expired"), death("b", "rejected")}, "maxlen", true},
		{[]any{death("b", "expired")}, "maxlen", false},
		{[]any{"text", death("q", "expired")}, "maxlen", false},
	} {
		headers := amqp.NewTable(map[string]any{"x-death": c.deaths})
		if got := Cycles(headers, c.reason, "q"); got != c.cycles {
			t.Errorf("%v, then %s: cycle %v, want %v", c.deaths, c.reason, got, c.cycles)
		}
	}
	if Cycles(amqp.NewTable(map[string]any{"x-death": "text"}), "expired", "q") {
		t.Error("a text is a cycle")
	}
}

func TestALetterTooLargeIsRefused(t *testing.T) {
	m := newMessage(t, "x", "k", amqp.Properties{})
	var w Writer
	long := string(make([]byte, message.NameMax+1))
	_, err := w.Write(&message.Arena{}, &m, &Death{Queue: "q", Exchange: long})
	if err == nil {
		t.Error("an exchange with a name that is too long was taken")
	}
	history := amqp.NewTable(map[string]any{"own": string(make([]byte, HeadersMax))})
	m = newMessage(t, "x", "k", amqp.Properties{Headers: history})
	if _, err := w.Write(&message.Arena{}, &m, &Death{Queue: "q"}); err == nil {
		t.Error("headers that are too large were taken")
	}
	if kept := cap(w.headers) + cap(w.deaths) + cap(w.properties); kept > 3*keptMax {
		t.Errorf("the writer keeps %d bytes", kept)
	}
}

// TestWritingALetterAllocatesLittle: the letter itself may need memory, its making does not.
func TestWritingALetterAllocatesLittle(t *testing.T) {
	m := newMessage(t, "x", "k", amqp.Properties{DeliveryMode: 2})
	var w Writer
	a := message.Arena{}
	d := Death{Queue: "q", Reason: "expired", Exchange: "dead"}
	allocs := testing.AllocsPerRun(1000, func() {
		if _, err := w.Write(&a, &m, &d); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 1 {
		t.Errorf("%v allocations", allocs)
	}
}
