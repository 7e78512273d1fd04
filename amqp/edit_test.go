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
