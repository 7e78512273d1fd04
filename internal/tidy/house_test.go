package tidy

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rule is one rule of the house.
type rule struct {
	name  string
	check func(*tree) []finding
}

// rules returns all rules; each has a fixture of its name in testdata.
func rules() []rule {
	return []rule{
		{"floors", checkFloors},
		{"purity", checkPurity},
		{"comments", checkPackageComments},
		{"documented", checkDocumented},
		{"sizes", checkSizes},
		{"format", checkFormat},
		{"names", checkNames},
		{"words", checkWords},
		{"printing", checkPrinting},
		{"testing", checkTesting},
		{"globals", checkGlobals},
		{"pages", checkPages},
		{"modules", checkModules},
		{"paths", checkPaths},
	}
}

var rewrite = flag.Bool("rewrite", false, "write what the rules find into their fixtures")

// root is the root of the module, seen from the folder the tests run in.
const root = "../.."

func TestHouse(t *testing.T) {
	house, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	if house.find("internal/tidy/house_test.go") == nil {
		t.Fatal("the tree read is not the module's: internal/tidy/house_test.go is not in it")
	}
	excuses := newExcuses(exceptions())
	ran := make(map[string]bool) // by -run, not all do
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			ran[r.name] = true
			for _, f := range r.check(house) {
				if !excuses.cover(r.name, f) {
					t.Error(f)
				}
			}
		})
	}
	for _, e := range excuses.unused() {
		if ran[e.rule] {
			t.Errorf("exceptions_test.go: nothing needs the exception %s %s: take it out",
				e.rule, e.where)
		}
	}
}

func TestRulesBite(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			name := filepath.Join("testdata", r.name+".txt")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatalf("a rule needs a fixture that breaks it: %v", err)
			}
			files := parseArchive(data)
			want := string(files["want"])
			delete(files, "want")
			broken, err := newTree(files)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, f := range r.check(broken) {
				got.WriteString(f.String() + "\n")
			}
			if *rewrite {
				head, _, _ := strings.Cut(string(data), "-- want --\n")
				text := head + "-- want --\n" + got.String()
				if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want == "" {
				t.Fatalf("%s wants no finding: it does not show that the rule bites", name)
			}
			if got.String() != want {
				t.Errorf("%s: found\n%swant\n%s", name, got.String(), want)
			}
		})
	}
}

func TestEveryFixtureBelongsToARule(t *testing.T) {
	known := make(map[string]bool)
	for _, r := range rules() {
		known[r.name+".txt"] = true
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !known[e.Name()] {
			t.Errorf("testdata/%s: no rule has this name", e.Name())
		}
	}
}
