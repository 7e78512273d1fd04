package amqp

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAHeaderIsTakenOut compares with taking the list apart.
func TestAHeaderIsTakenOut(t *testing.T) {
	text := rapid.StringMatching(`[a-z]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		fields := map[string]any{}
		for _, key := range []string{"BCC", "CC", "a", "z"} {
			if rapid.Bool().Draw(t, "has "+key) {
				fields[key] = []any{text.Draw(t, key), int32(7)}
			}
		}
		p := Properties{
			ContentType: text.Draw(t, "type"), ContentEncoding: text.Draw(t, "encoding"),
			Headers: NewTable(fields), DeliveryMode: rapid.Uint8Range(0, 2).Draw(t, "mode"),
			AppID: text.Draw(t, "application"),
		}
		raw := RawProperties(p.AppendTo(nil))
		got := RawProperties(raw.AppendWithoutHeader([]byte("before"), "BCC"))
		if string(got[:6]) != "before" {
			t.Fatalf("what was there became %q", got[:6])
		}
		got = got[6:]
		delete(fields, "BCC")
		if _, there := got.Headers().Lookup("BCC"); there ||
			!got.Headers().Equal(NewTable(fields)) {
			t.Fatalf("headers are %v", got.Headers().Map())
		}
		if err := got.check(); err != nil {
			t.Fatal(err)
		}
		want := p
		want.Headers = NewTable(fields)
		if d, _ := got.Decode(); string(d.AppendTo(nil)) != string(want.AppendTo(nil)) {
			t.Fatalf("%q became %q", raw, got)
		}
	})
}

// TestHeadersThatBecomeEmptyStay: a client that asks for headers finds some, as with RabbitMQ.
func TestHeadersThatBecomeEmptyStay(t *testing.T) {
	p := Properties{Headers: NewTable(map[string]any{"BCC": []any{"x"}})}
	got := RawProperties(p.AppendTo(nil)).AppendWithoutHeader(nil, "BCC")
	if want := "\x20\x00\x00\x00\x00\x00"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := noProperties.AppendWithoutHeader(nil, "BCC"); string(got) != string(noProperties) {
		t.Errorf("nothing became %q", got)
	}
}
