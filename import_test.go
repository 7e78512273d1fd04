package warren_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
)

// startWith starts a node with these definitions and returns what it logged until it served.
func startWith(t *testing.T, dir string, i warren.Import) (logged string, err error) {
	t.Helper()
	var log strings.Builder
	node, err := warren.Start(context.Background(), warren.Options{
		DataDir: dir, Listen: "127.0.0.1:0", Import: i,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		return "", err
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	return log.String(), nil
}

func TestDefinitionsAreImportedAtStart(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("10.json", `{"vhosts":[{"name":"/"},{"name":"shop"}],"users":[{"name":"ann",
		"password_hash":"","tags":[]}]}`)
	write("20.json", `{"queues":[{"name":"orders","vhost":"shop","durable":true,
		"auto_delete":false,"arguments":{}}]}`)
	write(".hidden", `nonsense`)
	skip := warren.Import{Paths: []string{files}, SkipUnchanged: true}
	logged, err := startWith(t, dir, skip)
	if err != nil || strings.Count(logged, "definitions imported") != 2 {
		t.Fatalf("it logged %s, %v", logged, err)
	}
	logged, err = startWith(t, dir, skip)
	if err != nil || !strings.Contains(logged, "definitions not imported") {
		t.Errorf("the second time, it logged %s, %v", logged, err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(files)))
	defer web.Close()
	logged, err = startWith(t, dir, warren.Import{URL: web.URL + "/20.json"})
	if err != nil || !strings.Contains(logged, "definitions imported") {
		t.Errorf("from the network, it logged %s, %v", logged, err)
	}
	for want, i := range map[string]warren.Import{
		"404":      {URL: web.URL + "/30.json"},
		"no such":  {Paths: []string{filepath.Join(files, "none")}},
		"bad.json": {Paths: []string{write("bad.json", `{"queues":[{"vhost":"nowhere",`)}},
	} {
		if _, err := startWith(t, dir, i); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", i, err, want)
		}
	}
}
