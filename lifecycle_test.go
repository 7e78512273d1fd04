package warren

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/protocol/control"
)

// operator returns a client of the node's control socket.
func operator(t *testing.T, n *Node) func(method, path string) (int, string) {
	dial := control.Dialer(n.DataDir())
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	client := http.Client{Transport: transport}
	return func(method, path string) (int, string) {
		t.Helper()
		return ask(t, &client, method, "http://node/api"+path)
	}
}

// ask sends a request without a body, and returns the status and the body of the answer.
func ask(t *testing.T, client *http.Client, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestTheApplicationStopsAndStartsWhileTheControlSocketStays(t *testing.T) {
	n, err := Start(t.Context(), Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Management: "127.0.0.1:0",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	ask := operator(t, n)
	for range 2 { // what is so already is no mistake
		if code, body := ask("POST", "/warren/app/stop"); code != http.StatusNoContent {
			t.Fatalf("stop: %d %s", code, body)
		}
	}
	if conn, err := net.Dial("tcp", n.Addr().String()); err == nil {
		conn.Close()
		t.Error("clients are taken by a node whose application is stopped")
	}
	if code, body := ask("GET", "/warren/status"); !strings.Contains(body, `"state":"stopped"`) {
		t.Errorf("status: %d %s", code, body)
	}
	if code, body := ask("POST", "/warren/reset"); code != http.StatusNoContent {
		t.Errorf("reset: %d %s", code, body)
	}
	if code, body := ask("GET", "/overview"); code != http.StatusServiceUnavailable {
		t.Errorf("overview of a stopped application: %d %s", code, body)
	}
	for range 2 {
		if code, body := ask("POST", "/warren/app/start"); code != http.StatusNoContent {
			t.Fatalf("start: %d %s", code, body)
		}
	}
	for _, addr := range []net.Addr{n.Addr(), n.ManagementAddr()} {
		conn, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
	if code, body := ask("GET", "/warren/status"); !strings.Contains(body, `"state":"running"`) {
		t.Errorf("status: %d %s", code, body)
	}
	if code, body := ask("POST", "/warren/reset"); code != http.StatusConflict {
		t.Errorf("reset of a running application: %d %s", code, body)
	}
	if code, body := ask("POST", "/warren/stop"); code != http.StatusNoContent {
		t.Errorf("stop the node: %d %s", code, body)
	}
	<-n.Done()
	if err := n.Err(); err != nil {
		t.Error(err)
	}
}
