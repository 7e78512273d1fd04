package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/config"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestTheGreetingIsTrue: what it says can be connected to, by who it says may.
func TestTheGreetingIsTrue(t *testing.T) {
	imported := filepath.Join(t.TempDir(), "definitions.json")
	text := `{"users":[{"name":"alice","password":"secret","tags":"administrator"}],` +
		`"vhosts":[{"name":"/"}]}`
	if err := os.WriteFile(imported, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change     func(*warren.Options)
		says, hush string
	}{
		{func(o *warren.Options) { o.Listen = "[::]:0" },
			"log in as      guest, password guest", "::"},
		{func(o *warren.Options) { o.Management = "0.0.0.0:0" }, "HTTP API       http://127.0.0.1:",
			"0.0.0.0"},
		{func(o *warren.Options) { o.Import.Paths = []string{imported} },
			"log in as      one of the users there are", "guest"},
	} {
		options := warren.Options{DefaultUser: "guest", DefaultPassword: "guest"}
		node := warrentest.Start(t, c.change)
		var out strings.Builder
		greet(&out, node, options)
		if got := out.String(); !strings.Contains(got, c.says) || strings.Contains(got, c.hush) {
			t.Errorf("%q and nothing of %q was to be said:\n%s", c.says, c.hush, got)
		}
	}
}

func TestPlacesOfTheLogAreToldWithWholePaths(t *testing.T) {
	s := config.Settings{}
	s.Log.Console.On = true
	if got := logPlaces(&s); !slices.Equal(got, []string{"<stderr>"}) {
		t.Errorf("the console is told as %q", got)
	}
	s.Log.Console.Stdout = true
	s.Log.File.On, s.Log.Path, s.Options.DataDir = true, "w.log", "data"
	whole, err := filepath.Abs("data/log/w.log")
	if err != nil {
		t.Fatal(err)
	}
	if got := logPlaces(&s); !slices.Equal(got, []string{whole, "<stdout>"}) {
		t.Errorf("both are told as %q", got)
	}
}

func TestKeysWithoutEffectAreOneLineForAGroup(t *testing.T) {
	got := oneForAGroup([]config.Problem{
		{Place: "f:1", Text: "cluster_formation.a has no effect: a node runs alone"},
		{Place: "f:2", Text: "mqtt.x has no effect: the plugin is not there"},
		{Place: "f:3", Text: "cluster_formation.b.1 has no effect: a node runs alone"},
		{Place: "f:4", Text: "something else"}, {Place: "f:5", Text: "something else"},
	})
	want := []config.Problem{
		{Place: "f:1", Text: "cluster_formation.* (2 keys) has no effect: a node runs alone"},
		{Place: "f:2", Text: "mqtt.x has no effect: the plugin is not there"},
		{Place: "f:4", Text: "something else"}, {Place: "f:5", Text: "something else"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
