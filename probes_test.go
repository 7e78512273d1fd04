package warren_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
)

func TestProbesNeedNoLoginAndNoPrefix(t *testing.T) {
	node, err := warren.Start(context.Background(), warren.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Management: "127.0.0.1:0",
		Web: warren.Web{Prefix: "/broker/"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	ask := func(method, path string) (int, string) {
		t.Helper()
		url := "http://" + node.ManagementAddr().String() + path
		request, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(path, "/api/") {
			request.SetBasicAuth("guest", "guest")
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
	for _, path := range []string{"/livez", "/readyz", "/startupz"} {
		if code, text := ask("GET", path); code != 200 || text != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: %d %q", path, code, text)
		}
	}
	// Below the prefix, names of vhosts with a slash are what they were.
	const limits = "/broker/api/vhost-limits/%2F"
	if code, text := ask("GET", limits); code != 200 {
		t.Errorf("%s: %d %s", limits, code, text)
	}
	if code, _ := ask("GET", "/api/overview"); code != 404 {
		t.Errorf("without the prefix: %d", code)
	}
	if code, text := ask("POST", "/broker/api/warren/listeners/suspend"); code >= 300 {
		t.Fatalf("suspend: %d %s", code, text)
	}
	if code, text := ask("GET", "/readyz"); code != 503 || !strings.Contains(text, "suspended") {
		t.Errorf("suspended, /readyz: %d %q", code, text)
	}
	if code, _ := ask("GET", "/livez"); code != 200 {
		t.Errorf("suspended, /livez: %d", code)
	}
	if code, text := ask("POST", "/broker/api/warren/listeners/resume"); code >= 300 {
		t.Fatalf("resume: %d %s", code, text)
	}
	if code, _ := ask("GET", "/readyz"); code != 200 {
		t.Errorf("resumed, /readyz: %d", code)
	}
}
