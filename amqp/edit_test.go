package amqp

import (
	"testing"

	"pgregory.net/rapid"
)

// TestEditedPropertiesAreTheOthersButForTheEdit compares with taking the list apart.
func TestEditedPropertiesAreTheOthersButForTheEdit(t *testing.T) {
	text := rapid.StringMatching(`[a-z]{0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		p := Properties{
			ContentType: text.Draw(t, "type"), CorrelationID: text.Draw(t, "correlation"),
			ReplyTo: text.Draw(t, "reply"), Expiration: text.Draw(t, "expiration"),
			DeliveryMode: rapid.Uint8Range(0, 2).Draw(t, "mode"),
			UserID:       text.Draw(t, "user"), ClusterID: text.Draw(t, "cluster"),
			Timestamp: rapid.Uint64Range(0, 9).Draw(t, "time"),
		}
		if rapid.Bool().Draw(t, "has headers") {
			p.Headers = NewTable(map[string]any{"a": "b", "n": 5})
		}
		e := Edit{
			SetHeaders:     rapid.Bool().Draw(t, "set headers"),
			DropExpiration: rapid.Bool().Draw(t, "drop expiration"),
		}
		if rapid.Bool().Draw(t, "some") {
			e.Headers = NewTable(map[string]any{"x": []any{"y"}})
		}
		if to := text.Draw(t, "other reply"); to != "" {
			e.ReplyTo = []byte(to)
		}
		raw := RawProperties(p.AppendTo(nil))

		want := p
		if e.SetHeaders {
			want.Headers = e.Headers
		}
		if e.DropExpiration {
			want.Expiration = ""
		}
		if e.ReplyTo != nil {
			want.ReplyTo = string(e.ReplyTo)
		}
		got := RawProperties(raw.AppendEdited([]byte("before"), &e))
		if w := "before" + string(want.AppendTo(nil)); string(got) != w {
			t.Fatalf("got  %q\nwant %q", got, w)
		}
	})
}

func TestATableIsWrittenFieldByField(t *testing.T) {
	inner := NewTable(map[string]any{"k": true})
	got := Table(nil).AppendText("a", "text").AppendInt64("b", -7).AppendTimestamp("c", 9).
		AppendField("d", Value{TypeTable, inner}).AppendField("e", Value{TypeBool, []byte{1}})
	want := NewTable(map[string]any{
		"a": "text", "b": int64(-7), "c": Timestamp(9), "d": inner, "e": true,
	})
	if string(got) != string(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	left := Table(nil).AppendWithout(got, "b", "d", "none")
	if want := NewTable(map[string]any{"a": "text", "c": Timestamp(9), "e": true}); string(
		left) != string(want) {
		t.Errorf("left %q\nwant %q", left, want)
	}
}

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
		got := RawProperties(raw.AppendEdited([]byte("before"), &Edit{DropHeader: "BCC"}))
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
	got := RawProperties(p.AppendTo(nil)).AppendEdited(nil, &Edit{DropHeader: "BCC"})
	if want := "\x20\x00\x00\x00\x00\x00"; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = noProperties.AppendEdited(nil, &Edit{DropHeader: "BCC"})
	if string(got) != string(noProperties) {
		t.Errorf("nothing became %q", got)
	}
}
