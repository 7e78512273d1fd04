package amqp

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestTableIsWrittenAsRabbitMQWritesIt(t *testing.T) {
	table := NewTable(map[string]any{
		"a": true, "b": int8(-3), "c": "text <b> \x00\x7f \u2028 é", "d": []byte("raw\xff"),
		"e": []any{int32(1), nil, []any{}, map[string]any{}}, "f": 1.0, "g": float32(0.1),
		"h": math.Inf(1), "i": Timestamp(1700000000), "j": Decimal{Scale: 2, Value: 314},
		"k": map[string]any{"x": int64(math.MinInt64)}, "l": 1e300,
	})
	const want = `{"a":true,"b":-3,"c":"text \u003cb\u003e \u0000\u007f \u2028 é","d":"raw�",` +
		`"e":[1,null,[],{}],"f":1.0,"g":0.1,"h":null,"i":1700000000,"j":314e-2,` +
		`"k":{"x":-9223372036854775808},"l":1e+300}`
	if got := string(table.AppendJSON(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, err := json.Marshal(struct{ T Table }{nil}); err != nil || string(got) != `{"T":{}}` {
		t.Errorf("no table is %s, %v", got, err)
	}
}

func TestRepeatedKeysAreWrittenOnce(t *testing.T) {
	one := Table(appendMap(nil, map[string]any{"a": 1}))
	many := Table{}
	for i := range 20 {
		many = append(many, appendMap(nil, map[string]any{"k" + string(rune('a'+i)): i})...)
	}
	for _, table := range []Table{append(one.Clone(), one...), append(many.Clone(), many...)} {
		text := table.AppendJSON(nil)
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(text, []byte(":")); got != len(fields) {
			t.Errorf("%d fields are written for %d keys: %s", got, len(fields), text)
		}
	}
}

func TestTableSurvivesJSON(t *testing.T) {
	const text = `{"array":[1,2.5,"three",{"four":4}],"big":9223372036854775807,"no":false,"t":"é"}`
	table, err := ParseTableJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(table.AppendJSON(nil)); got != text {
		t.Errorf("got  %s\nwant %s", got, text)
	}
	if v, _ := table.Lookup("big"); v.Type != TypeInt64 {
		t.Errorf("a whole number has the type %c", v.Type)
	}
}

func TestWhatIsNoTableIsRefused(t *testing.T) {
	deep := strings.Repeat(`{"a":`, TableDepthMax+1) + "1" + strings.Repeat("}", TableDepthMax+1)
	for _, text := range []string{
		"", "[]", "null", `{"a":1} x`, `{"a":null}`, `{"a":[null]}`, `{"a":9223372036854775808}`,
		`{"a":1e999}`, `{"` + strings.Repeat("k", 256) + `":1}`, deep,
		`{"a":[1` + strings.Repeat(",1", TableNodesMax) + `]}`,
	} {
		if table, err := ParseTableJSON([]byte(text)); err == nil {
			t.Errorf("%.40s is taken for %v", text, table.Map())
		}
	}
	var table Table
	if err := json.Unmarshal([]byte(" null "), &table); err != nil || table != nil {
		t.Errorf("null as a whole is %v, %v", table, err)
	}
}
