package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var specs = []string{
	"../../spec/amqp0-9-1.stripped.extended.xml",
	"../../spec/extensions.xml",
}

func TestCommittedFileIsWhatTheSpecificationGenerates(t *testing.T) {
	out := filepath.Join(t.TempDir(), "methods_gen.go")
	if err := run(out, specs); err != nil {
		t.Fatal(err)
	}
	got := read(t, out)
	if !bytes.Equal(got, read(t, "../../methods_gen.go")) {
		t.Fatal("amqp/methods_gen.go is not up to date: run go generate ./amqp")
	}
	if err := run(out, specs); err != nil || !bytes.Equal(got, read(t, out)) {
		t.Fatalf("a second run writes something else (err %v)", err)
	}
}

func TestOrderInsideTheSpecificationDoesNotMatter(t *testing.T) {
	forth, err := generate([]byte(`<amqp>` + classA + classB + `</amqp>`))
	if err != nil {
		t.Fatal(err)
	}
	back, err := generate([]byte(`<amqp>`+classB+`</amqp>`), []byte(`<amqp>`+classA+`</amqp>`))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(forth, back) {
		t.Error("the order of the classes changes the output")
	}
}

func TestSpecificationThatWouldGenerateWrongCodeIsRefused(t *testing.T) {
	for _, c := range []struct{ name, doc, want string }{
		{"no XML", `<amqp`, "parse specification"},
		{"unknown type", `<amqp><class name="a" index="1"><method name="m" index="1">
			<field name="f" type="float"/></method></class></amqp>`, "unknown type"},
		{"unknown domain", `<amqp><class name="a" index="1"><method name="m" index="1">
			<field name="f" domain="nowhere"/></method></class></amqp>`, "unknown type"},
		{"method twice", `<amqp>` + classB + classB + `</amqp>`, "defined twice"},
		{"number twice", `<amqp><class name="a" index="1"><method name="m" index="1"/>
			<method name="n" index="1"/></class></amqp>`, "defined twice"},
		{"constant twice", `<amqp><constant name="c" value="1"/>
			<constant name="c" value="2"/></amqp>`, "defined twice"},
		{"bits in two places", `<amqp><class name="a" index="1"><method name="m" index="1">
			<field name="f" type="bit"/><field name="g" type="octet"/>
			<field name="h" type="bit"/></method></class></amqp>`, "bits"},
	} {
		_, err := generate([]byte(c.doc))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

const (
	classA = `<constant name="c" value="1" class="soft-error"/>
		<class name="alpha" index="1"><method name="m" index="1" content="1">
		<field name="f" type="bit"/></method></class>`
	classB = `<class name="beta" index="2"><method name="n" index="3"/>
		<method name="m-ok" index="1"/></class>`
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
