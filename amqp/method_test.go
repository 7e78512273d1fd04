package amqp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestEveryMethodSurvivesTheWire(t *testing.T) {
	ids := allMethods()
	if len(ids) != methodCount {
		t.Fatalf("%d methods, want %d", len(ids), methodCount)
	}
	for _, id := range ids {
		for _, m := range []Method{newMethod(id), filled(id, 1), filled(id, 2)} {
			frame := AppendMethodFrame([]byte("before"), 0x1234, m)
			f, n, err := ParseFrame(frame[len("before"):], 0)
			if err != nil || n != len(frame)-len("before") {
				t.Fatalf("%s: frame of %d octets, %v", id, n, err)
			}
			if f.Type != FrameMethod || f.Channel != 0x1234 {
				t.Fatalf("%s: frame %+v", id, f)
			}
			got, err := ParseMethod(f.Payload)
			if err != nil {
				t.Fatalf("%s: %v", id, err)
			}
			if !same(got, m) {
				t.Errorf("%s: %+v came back as %+v", id, m, got)
			}
		}
	}
}

func TestEveryMethodRefusesArgumentsOfAnotherLength(t *testing.T) {
	for _, id := range allMethods() {
		args := filled(id, 1).AppendTo(nil)
		for n := range len(args) {
			wantCode(t, id.String(), newMethod(id).Decode(args[:n:n]), FrameError)
		}
		err := newMethod(id).Decode(append(args, 0))
		wantCode(t, id.String(), err, FrameError)
		if e := new(Error); !errors.As(err, &e) || e.Method != id {
			t.Errorf("%s: the error names %v", id, e.Method)
		}
	}
}

func TestEveryMethodOverwritesAllFields(t *testing.T) {
	for _, id := range allMethods() {
		m := filled(id, 1)
		if err := m.Decode(newMethod(id).AppendTo(nil)); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if !same(m, newMethod(id)) {
			t.Errorf("%s: %+v is left of former fields", id, m)
		}
	}
}

func TestEveryMethodHasItsNameAndNumber(t *testing.T) {
	count := 0
	for _, file := range []string{"amqp0-9-1.stripped.extended.xml", "extensions.xml"} {
		var spec struct {
			Classes []struct {
				Name    string `xml:"name,attr"`
				Index   uint16 `xml:"index,attr"`
				Methods []struct {
					Name    string `xml:"name,attr"`
					Index   uint16 `xml:"index,attr"`
					Content int    `xml:"content,attr"`
				} `xml:"method"`
			} `xml:"class"`
		}
		text, err := os.ReadFile("spec/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(text, &spec); err != nil {
			t.Fatal(err)
		}
		for _, c := range spec.Classes {
			for _, m := range c.Methods {
				count++
				id := MethodID(c.Index)<<16 | MethodID(m.Index)
				method := newMethod(id)
				if method == nil || method.ID() != id || !id.Known() {
					t.Fatalf("%s.%s is not known", c.Name, m.Name)
				}
				if id.String() != c.Name+"."+m.Name || id.Class() != c.Index ||
					id.Method() != m.Index || id.HasContent() != (m.Content == 1) {
					t.Errorf("%s.%s is %s, content %t", c.Name, m.Name, id, id.HasContent())
				}
			}
		}
	}
	if count != methodCount {
		t.Errorf("the specification has %d methods, want %d", count, methodCount)
	}
}

// methodCount is the number of methods in AMQP 0-9-1 with RabbitMQ's extensions.
const methodCount = 66

func TestMethodThatDoesNotExistIsRefused(t *testing.T) {
	for _, payload := range []string{"003c0029", "00630001", "ffffffff", "00000000", "000a0063"} {
		_, err := ParseMethod(unhex(t, payload))
		wantText(t, payload, err, "COMMAND_INVALID - unimplemented method (503)")
	}
	if id := MethodID(60<<16 | 41); id.String() != "60.41" || id.Known() || id.HasContent() {
		t.Errorf("an unknown method is called %s", id)
	}
}

func TestMethodFrameWithoutMethodIsRefused(t *testing.T) {
	for payload, want := range map[string]string{
		"":       "FRAME_ERROR - type 1, all octets = <<>>: unknown_frame (501)",
		"003c":   "FRAME_ERROR - type 1, all octets = <<0,60>>: unknown_frame (501)",
		"003c00": "FRAME_ERROR - type 1, all octets = <<0,60,0>>: unknown_frame (501)",
	} {
		_, err := ParseMethod(unhex(t, payload))
		wantText(t, payload, err, want)
	}
}

func TestMalformedArgumentsAreRefusedInTheWordsOfRabbitMQ(t *testing.T) {
	_, err := ParseMethod(unhex(t, "003c00280000"))
	wantText(t, "short", err, "FRAME_ERROR - cannot decode <<0,0>> (501)")
	_, err = ParseMethod(append(unhex(t, "003c0028"), bytes.Repeat([]byte{255}, 5000)...))
	var e *Error
	if !errors.As(err, &e) || len(e.Text) != ShortStrMax || !strings.HasSuffix(e.Text, ",25...") {
		t.Errorf("long arguments: %v", err)
	}
}

func TestMalformedTableInMethodIsRefused(t *testing.T) {
	_, err := ParseMethod(unhex(t, "0032000a 0000 0171 00 00000003 010203"))
	wantCode(t, "table", err, SyntaxError)
	if e := err.(*Error); e.Method != MethodQueueDeclare {
		t.Errorf("the error names %s", e.Method)
	}
}

func TestReservedFieldsMayHoldAnything(t *testing.T) {
	for _, c := range []struct {
		payload string
		want    Method
	}{
		{"000a0028 012f 03616263 ff", &ConnectionOpen{VirtualHost: "/"}},
		{"0014000a 03616263", &ChannelOpen{}},
		{"0014000b 00000003616263", &ChannelOpenOk{}},
		{"003c0046 ffff 0171 ff", &BasicGet{Queue: "q", NoAck: true}},
		{"003c0028 ffff 0165 016b fe",
			&BasicPublish{Exchange: "e", RoutingKey: "k", Immediate: true}},
	} {
		got, err := ParseMethod(unhex(t, c.payload))
		if err != nil || !same(got, c.want) {
			t.Errorf("%s: %+v, %v", c.payload, got, err)
		}
	}
}

func TestStringsTooLongForTheirFieldAreCut(t *testing.T) {
	m := &QueueDeclareOk{Queue: strings.Repeat("q", 1000), MessageCount: 7}
	got, err := ParseMethod(AppendMethodFrame(nil, 1, m)[frameHeaderSize:][:4+1+255+8])
	want := &QueueDeclareOk{Queue: strings.Repeat("q", ShortStrMax), MessageCount: 7}
	if err != nil || !same(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDecodedStringsAreCopiesAndTablesAlias(t *testing.T) {
	sent := &QueueDeclare{Queue: "q", Arguments: NewTable(map[string]any{"k": "v"})}
	args := sent.AppendTo(nil)
	var got QueueDeclare
	if err := got.Decode(args); err != nil {
		t.Fatal(err)
	}
	kept := got.Arguments.Clone()
	clear(args)
	if got.Queue != "q" || !kept.Equal(sent.Arguments) || got.Arguments.Equal(sent.Arguments) {
		t.Errorf("%q %q %q", got.Queue, kept, got.Arguments)
	}
}

// filled returns a method whose fields all hold something, different by seed.
func filled(id MethodID, seed int) Method {
	m := newMethod(id)
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Bool:
			f.SetBool((i+seed)%2 == 0)
		case reflect.String:
			f.SetString(strings.Repeat(string(rune('a'+i)), seed*100))
		case reflect.Slice:
			f.SetBytes(NewTable(map[string]any{"n": i, "t": map[string]any{"s": seed}}))
		default:
			f.SetUint((0xF1E2D3C4B5A69788 + uint64(i*seed)) >> (64 - 8*f.Type().Size()))
		}
	}
	return m
}

// same compares methods; an empty table is as good as none.
func same(a, b Method) bool {
	va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	if va.Type() != vb.Type() {
		return false
	}
	for i := range va.NumField() {
		fa, fb := va.Field(i), vb.Field(i)
		if fa.Kind() == reflect.Slice {
			if !bytes.Equal(fa.Bytes(), fb.Bytes()) {
				return false
			}
		} else if !fa.Equal(fb) {
			return false
		}
	}
	return true
}

func wantCode(t *testing.T, what string, err error, code uint16) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("%s: %v, want code %d", what, err, code)
	}
}

func wantText(t *testing.T, what string, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Errorf("%s: %v, want %q", what, err, text)
	}
}
