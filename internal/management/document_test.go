package management

import (
	flags "flag" // flag is a word of the API here
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

//nolint:gochecknoglobals // a flag of the test binary
var update = flags.Bool("update", false, "write the table of paths in docs/management-api.md")

// document returns the OpenAPI document as it is served.
func document(t *testing.T) map[string]any {
	t.Helper()
	a := open(t).ask("", "GET", "/api/openapi.json", "")
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	return decoded[map[string]any](t, a)
}

func TestOpenAPIDocumentIsValid(t *testing.T) {
	all := document(t)
	if all["openapi"] != openAPIVersion {
		t.Errorf("openapi is %v", all["openapi"])
	}
	info := all["info"].(map[string]any)
	if info["title"] == "" || info["version"] != "1.2.3" {
		t.Errorf("info is %v", info)
	}
	schemas := all["components"].(map[string]any)["schemas"].(map[string]any)
	ids, tagged, operations := map[string]bool{}, 0, 0
	for path, item := range all["paths"].(map[string]any) {
		if !strings.HasPrefix(path, "/") {
			t.Errorf("%s does not begin with /", path)
		}
		for method, o := range item.(map[string]any) {
			operations++
			where := method + " " + path
			checkOperation(t, where, path, o.(map[string]any), schemas)
			id := o.(map[string]any)["operationId"].(string)
			if ids[id] {
				t.Errorf("%s: the operationId %s is not unique", where, id)
			}
			ids[id] = true
			if len(o.(map[string]any)["tags"].([]any)) == 1 {
				tagged++
			}
		}
	}
	if routes := table(); operations != len(routes) || tagged != operations {
		t.Errorf("%d operations, %d tagged, for %d routes", operations, tagged, len(routes))
	}
}

// placeholder is a parameter in a path of OpenAPI.
var placeholder = regexp.MustCompile(`\{([^{}/]+)\}`)

// checkOperation checks what the specification demands of an operation object.
func checkOperation(t *testing.T, where, path string, o, schemas map[string]any) {
	t.Helper()
	if o["summary"] == "" {
		t.Errorf("%s has no summary", where)
	}
	declared := map[string]string{}
	list, _ := o["parameters"].([]any)
	for _, p := range list {
		p := p.(map[string]any)
		name := p["name"].(string)
		if _, twice := declared[name]; twice {
			t.Errorf("%s has the parameter %s twice", where, name)
		}
		declared[name] = p["in"].(string)
		if p["in"] == "path" && p["required"] != true || p["schema"] == nil {
			t.Errorf("%s: parameter %s is %v", where, name, p)
		}
	}
	inPath := 0
	for _, found := range placeholder.FindAllStringSubmatch(path, -1) {
		inPath++
		if declared[found[1]] != "path" {
			t.Errorf("%s does not declare %s", where, found[1])
		}
	}
	for _, in := range declared {
		if in == "path" {
			inPath--
		}
	}
	if inPath != 0 {
		t.Errorf("%s declares other parameters than its path has", where)
	}
	responses := o["responses"].(map[string]any)
	good := false
	for status, r := range responses {
		if r.(map[string]any)["description"] == "" {
			t.Errorf("%s: %s has no description", where, status)
		}
		good = good || status[0] == '2'
	}
	if !good {
		t.Errorf("%s never answers that it is done", where)
	}
	for _, found := range reference.FindAllStringSubmatch(fmt.Sprint(o), -1) {
		if schemas[found[1]] == nil {
			t.Errorf("%s refers to the schema %s, which is not there", where, found[1])
		}
	}
}

var reference = regexp.MustCompile(`#/components/schemas/(\w+)`)

func TestIndexListsEveryPath(t *testing.T) {
	a := open(t).ask("", "GET", "/api/", "")
	for _, r := range table() {
		if !strings.Contains(a.body, "<code>"+r.path+"</code>") {
			t.Errorf("%s is not listed", r.path)
		}
	}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Errorf("the index is %s", a.header.Get("Content-Type"))
	}
}

// The page between its marks is made of the table.
const (
	docPage   = "../../docs/management-api.md"
	tableFrom = "<!-- paths: made by go test ./internal/management -run Page -update -->\n"
	tableTo   = "<!-- end of paths -->\n"
)

func TestPageListsThePathsThereAre(t *testing.T) {
	content, err := os.ReadFile(docPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), tableFrom)
	_, after, ended := strings.Cut(rest, tableTo)
	if !ok || !ended {
		t.Fatalf("%s has no table of paths between its marks", docPage)
	}
	var rows strings.Builder
	rows.WriteString("\n| method | path | what it does | tag |\n|---|---|---|---|\n")
	for _, r := range table() {
		fmt.Fprintf(&rows, "| %s | `%s` | %s | %s |\n", r.method, r.path, r.text, r.needs.title())
	}
	rows.WriteString("\n")
	want := before + tableFrom + rows.String() + tableTo + after
	if *update {
		if err := os.WriteFile(docPage, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(content) != want {
		t.Errorf("%s is not up to date: go test ./internal/management -run Page -update", docPage)
	}
}
