package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/configuration.md anew")

// page is what operators read.
const page = "../../docs/configuration.md"

// TestPageHasTheTables compares the tables of the page with those of the package.
func TestPageHasTheTables(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	old := string(b)
	text := old
	for name, content := range map[string]string{
		"keys": keysPage(), "variables": variablesPage(), "foreign": foreignPage(),
	} {
		text = between(t, text, name, content)
	}
	if text == old {
		return
	}
	if !*update {
		t.Fatalf("%s is not as the tables are: run this test with -update", page)
	}
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// between replaces what stands between the marks of that name.
func between(t *testing.T, text, name, content string) string {
	t.Helper()
	begin := strings.Index(text, "<!-- "+name+": made")
	end := strings.Index(text, "<!-- "+name+": end -->")
	if begin < 0 || end < begin {
		t.Fatalf("%s has no place for %s", page, name)
	}
	begin += strings.Index(text[begin:], "\n") + 1
	return text[:begin] + content + text[end:]
}

func keysPage() string {
	var out strings.Builder
	for _, s := range Sections() {
		fmt.Fprintf(&out, "\n### %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
			s.Title)
		for _, k := range s.Keys {
			name := code(k.Name)
			if k.Also != "" {
				name += ", also " + code(k.Also)
			}
			if k.Reload {
				name += " ↻"
			}
			shown := code(k.Default)
			if k.Default == "" {
				shown = ""
			}
			meaning := k.Meaning
			if k.Ignored != "" {
				meaning += "; without effect: " + k.Ignored
			}
			fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", name, k.Type.Name, shown, meaning)
		}
	}
	return out.String() + "\n"
}

func variablesPage() string {
	var out strings.Builder
	out.WriteString("\n| variable | |\n|---|---|\n")
	for _, v := range Variables() {
		what := "taken, without effect"
		switch {
		case v.Key != "":
			what = code(v.Key)
		case v.Ignored != "":
			what = "a warning: " + v.Ignored
		}
		fmt.Fprintf(&out, "| %s | %s |\n", code(v.Name), what)
	}
	return out.String() + "\n"
}

func foreignPage() string {
	var out strings.Builder
	out.WriteString("\n| keys | why |\n|---|---|\n")
	why, names := "", []string(nil)
	flush := func() {
		if len(names) > 0 {
			fmt.Fprintf(&out, "| %s | %s |\n", strings.Join(names, " "), why)
		}
		names = nil
	}
	for _, f := range foreignKeys() {
		if f.why != why {
			flush()
			why = f.why
		}
		names = append(names, code(strings.Join(f.name, ".")))
	}
	flush()
	return out.String() + "\n"
}

func code(text string) string { return "`" + text + "`" }
