package amqp

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// everyProperty has a different value in every field.
func everyProperty() Properties {
	return Properties{
		ContentType: "text/plain", ContentEncoding: "gzip",
		Headers:      NewTable(map[string]any{"n": 1}),
		DeliveryMode: 2, Priority: 9, CorrelationID: "correlation", ReplyTo: "reply",
		Expiration: "60000", MessageID: "message", Timestamp: 1 << 40, Type: "type",
		UserID: "guest", AppID: "app", ClusterID: "cluster",
	}
}

func TestPropertiesSurviveTheWireInEveryCombination(t *testing.T) {
	for mask := range 1 << 14 {
		p := everyProperty()
		v := reflect.ValueOf(&p).Elem()
		for i := range v.NumField() {
			if mask>>i&1 == 0 {
				v.Field(i).SetZero()
			}
		}
		raw := RawProperties(p.AppendTo(nil))
		got, err := raw.Decode()
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Fatalf("%+v came back as %+v, %v", p, got, err)
		}
		checkAccessors(t, raw, p)
	}
}

// checkAccessors compares what the accessors of raw find with p.
func checkAccessors(t *testing.T, raw RawProperties, p Properties) {
	t.Helper()
	for _, c := range []struct {
		name string
		get  func() ([]byte, bool)
		want string
	}{
		{"content type", raw.ContentType, p.ContentType},
		{"content encoding", raw.ContentEncoding, p.ContentEncoding},
		{"correlation id", raw.CorrelationID, p.CorrelationID},
		{"reply to", raw.ReplyTo, p.ReplyTo},
		{"expiration", raw.Expiration, p.Expiration},
		{"message id", raw.MessageID, p.MessageID},
		{"type", raw.Type, p.Type},
		{"user id", raw.UserID, p.UserID},
		{"app id", raw.AppID, p.AppID},
		{"cluster id", raw.ClusterID, p.ClusterID},
	} {
		if got, ok := c.get(); string(got) != c.want || ok != (c.want != "") {
			t.Fatalf("%x: %s is %q, %t", raw, c.name, got, ok)
		}
	}
	priority, hasPriority := raw.Priority()
	timestamp, hasTimestamp := raw.Timestamp()
	if priority != p.Priority || hasPriority != (p.Priority != 0) ||
		timestamp != p.Timestamp || hasTimestamp != (p.Timestamp != 0) ||
		raw.DeliveryMode() != p.DeliveryMode || !bytes.Equal(raw.Headers(), p.Headers) {
		t.Fatalf("%x: want %+v", raw, p)
	}
}

func TestPropertiesThatArePresentAndZeroAreFound(t *testing.T) {
	raw := RawProperties(unhex(t,
		"fffc 00 00 00000000 00 00 00 00 00 00 0000000000000000 00 00 00 00"))
	if err := raw.check(); err != nil {
		t.Fatal(err)
	}
	_, priority := raw.Priority()
	_, timestamp := raw.Timestamp()
	_, cluster := raw.ClusterID()
	if !priority || !timestamp || !cluster || raw.Headers() == nil {
		t.Error("a property is missing")
	}
	p, err := raw.Decode()
	if err != nil || !reflect.DeepEqual(p, Properties{}) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestPropertyErrors(t *testing.T) {
	const (
		early = "SYNTAX_ERROR - message properties end early (502)"
		table = "SYNTAX_ERROR - malformed field table: field cannot be decoded (502)"
	)
	for _, c := range []struct{ name, in, want string }{
		{"one octet of flags", "00", "SYNTAX_ERROR - property flags are missing (502)"},
		{"continuation", "0001 0000", "SYNTAX_ERROR - unknown property flags 0x0001 (502)"},
		{"unknown flag", "0002", "SYNTAX_ERROR - unknown property flags 0x0002 (502)"},
		{"octet after none", "0000 00",
			"SYNTAX_ERROR - 1 octets after the message properties (502)"},
		{"octet after the mode", "1000 02 00",
			"SYNTAX_ERROR - 1 octets after the message properties (502)"},
		{"no mode", "1000", early},
		{"no priority", "0800", early},
		{"no length", "8000", early},
		{"short string", "8000 02 61", early},
		{"short timestamp", "0040 00000000000000", early},
		{"no headers", "2000", early},
		{"short headers", "2000 00000003 0161", early},
		{"length of 2^31", "2000 80000000", early},
		{"length of 2^32-1", "2000 ffffffff 00", early},
		{"malformed headers", "2000 00000002 0161", table},
		{"headers take from the next", "3000 00000003 016156 00 02",
			"SYNTAX_ERROR - 1 octets after the message properties (502)"},
	} {
		_, err := RawProperties(unhex(t, c.in)).Decode()
		wantText(t, c.name, err, c.want)
	}
}

func TestAccessorsOfMalformedPropertiesFindNothing(t *testing.T) {
	p := everyProperty()
	raw := RawProperties(p.AppendTo(nil))
	for n := range len(raw) {
		cut := raw[:n:n]
		if _, ok := cut.ClusterID(); ok {
			t.Errorf("%d octets: cluster id", n)
		}
		cut.DeliveryMode()
		cut.Headers().Len()
		if _, err := cut.Decode(); (err == nil) != (n == 0) {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

func TestPropertyStringsTooLongAreCut(t *testing.T) {
	p := Properties{MessageID: strings.Repeat("é", 200), AppID: "app"}
	got, err := RawProperties(p.AppendTo(nil)).Decode()
	if err != nil || got.MessageID != strings.Repeat("é", 127) || got.AppID != "app" {
		t.Errorf("%+v, %v", got, err)
	}
}
