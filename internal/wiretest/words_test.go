package wiretest

import (
	"slices"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

func TestWordsEndAtSpacesOutsideQuotesAndBrackets(t *testing.T) {
	got := splitWords(`a  b="c \" d" e={f:[1, "} ]"], g:2} h`)
	want := []string{"a", `b="c \" d"`, `e={f:[1, "} ]"], g:2}`, "h"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestATableIsWrittenAsItWasRead(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{a:1, b:"two", c:true, d:false, e:void}`,
		`{a:{b:[1, "x", {c:void}]}, d:[]}`,
		`{a:b:-1, b:B:255, c:s:-300, d:u:300, e:i:7, f:l:-9, g:f:0.5, h:d:1.5, i:T:17}`,
		`{"":1, "a b":x:"\x00\xff", "c,d":"e,f}"}`,
	} {
		table, err := parseTable(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := table.Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got := formatTable(table); got != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
}

func TestAMalformedTableIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "1", "{", "{a", "{a:}", "{a:1}b", "{a:q:1}", "{a:[1}", "{a:b:x}",
	} {
		if _, err := parseTable(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestAMethodIsWrittenAsItWasRead(t *testing.T) {
	for _, text := range []string{
		`queue.declare queue="" durable no-wait arguments={x-expires:1}`,
		`basic.deliver consumer-tag=c delivery-tag=18446744073709551615 redelivered ` +
			`exchange="a b" routing-key="\x00"`,
	} {
		words := splitWords(text)
		args, err := parseArguments(words[1:])
		if err != nil {
			t.Fatal(err)
		}
		m := newMethod(words[0])
		if err := fill(m, args); err != nil {
			t.Fatal(err)
		}
		if err := args.rest(); err != nil {
			t.Fatal(err)
		}
		if got := formatMethod(m); got != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
}

func TestNoCommandSendsMoreThanItMay(t *testing.T) {
	p := &peer{frameMax: amqp.FrameMinSize}
	for verb, text := range map[string]string{
		"raw": "zeros=10000000", "body": "size=10000000", "publish": "body-size=10000000",
	} {
		args, err := parseArguments(splitWords(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := build(p, 1, verb, args)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) < zerosMax || len(b) > zerosMax+zerosMax/100 {
			t.Errorf("%s sends %d octets", verb, len(b))
		}
	}
}

func TestAMistakeInACommandIsTold(t *testing.T) {
	p := &peer{frameMax: amqp.FrameMinSize}
	for _, line := range []string{
		"queue.declare queue=q nowait", "queue.make", "basic.ack delivery-tag=x",
		"frame payload=zz", "header size=-1",
	} {
		words := splitWords(line)
		args, err := parseArguments(words[1:])
		if err == nil {
			_, err = build(p, 1, words[0], args)
		}
		if err == nil {
			err = args.rest()
		}
		if err == nil {
			t.Errorf("%s is accepted", line)
		}
	}
	if _, err := parseArguments([]string{"a=1", "a=2"}); err == nil {
		t.Error("an argument is accepted twice")
	}
}
