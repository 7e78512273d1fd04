package table

import (
	"encoding/json"
	"strings"
	"testing"
)

func objects(t *testing.T, text string) []Object {
	t.Helper()
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	var list []Object
	if err := in.Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

const three = `[
	{"name": "b", "messages": 10, "stats": {"rate": 1.5}, "arguments": {"x": 1}},
	{"name": "a", "messages": 9, "stats": {"rate": 20}},
	{"name": "\u001b[2J", "messages": null, "tags": ["one", "two"]}]`

func TestATableIsAligned(t *testing.T) {
	var out strings.Builder
	list := objects(t, three)
	columns := []string{"name", "messages", "stats.rate", "arguments", "tags"}
	if err := Write(&out, columns, list, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `name     messages  stats.rate  arguments  tags
b              10         1.5  {"x":1}
a               9          20
\x1b[2J                                   one two
`
	if got := out.String(); got != want {
		t.Errorf("printed\n%s, want\n%s", got, want)
	}
	out.Reset()
	style := Style{NoHeaders: true, Tabs: true}
	if err := Write(&out, columns[:2], list[:2], style); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "b\t10\na\t9\n" {
		t.Errorf("printed %q", got)
	}
}

func TestSortingGoesByValue(t *testing.T) {
	for column, want := range map[string]string{
		"messages": "a b \x1b[2J", "-messages": "b a \x1b[2J", "name": "\x1b[2J a b",
		"-stats.rate": "a b \x1b[2J",
	} {
		list := objects(t, three)
		Sort(list, column)
		var names []string
		for _, o := range list {
			names = append(names, o["name"].(string))
		}
		if column == "name" {
			want = "\x1b[2J a b" // by what is seen
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("by %s the order is %q, want %q", column, got, want)
		}
	}
}

func TestFiltersKeepWhatMatches(t *testing.T) {
	for text, want := range map[string]int{
		"messages>9": 1, "messages>=9": 2, "messages<10": 1, "messages<=10": 2, "name=a": 1,
		"name != a": 2, "name~^[ab]$": 2, "name!~a": 2, "stats.rate=20.0": 1, "messages=": 1,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(Select(objects(t, three), []Filter{f})); got != want {
			t.Errorf("%s keeps %d, want %d", text, got, want)
		}
	}
	for _, wrong := range []string{"", "name", "=a", "messages>many", "name~("} {
		if _, err := ParseFilter(wrong); err == nil {
			t.Errorf("%q is a filter", wrong)
		}
	}
}

func TestFieldsAreTakenApart(t *testing.T) {
	var out strings.Builder
	if err := WriteFields(&out, objects(t, three)[0]); err != nil {
		t.Fatal(err)
	}
	want := "arguments   {\"x\":1}\nmessages    10\nname        b\nstats.rate  1.5\n"
	if got := out.String(); got != want {
		t.Errorf("printed\n%s, want\n%s", got, want)
	}
}
