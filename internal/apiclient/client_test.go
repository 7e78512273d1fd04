package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers with handle and returns a client of it.
func serve(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	login := strings.Replace(server.URL, "://", "://me:s%2Fcret@", 1)
	client, err := New(Options{URL: login})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestNamesAreEscaped(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"queues", "/", "a b"}, "/queues/%2F/a%20b"},
		{[]string{"queues", "/", ".."}, "/queues/%2F/%2E%2E"},
		{[]string{"queues", "/", "a.b"}, "/queues/%2F/a.b"},
		{[]string{"exchanges", "é?#%", ""}, "/exchanges/%C3%A9%3F%23%25/"},
	} {
		if got := Path(c.parts...); got != c.want {
			t.Errorf("the path of %q is %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestTheServerSeesNameAndLogin(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		_ = json.NewEncoder(w).Encode(Object{
			"path": r.URL.EscapedPath(), "user": user, "password": password, "big": 1 << 60,
		})
	})
	var got Object
	if err := client.Get(t.Context(), Path("queues", "/", "a/b"), &got); err != nil {
		t.Fatal(err)
	}
	if got["path"] != "/api/queues/%2F/a%2Fb" || got["user"] != "me" ||
		got["password"] != "s/cret" || got["big"] != json.Number("1152921504606846976") {
		t.Errorf("the server saw %v", got)
	}
	if strings.Contains(client.URL(), "cret") {
		t.Errorf("the password is in %s", client.URL())
	}
}

func TestErrorsHaveStatusAndReason(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"Object Not Found","reason":"Not Found"}`)
	})
	err := client.Get(t.Context(), "/queues", nil)
	if !IsNotFound(err) || err.Error() != "Not Found" || IsUnreachable(err) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhoDoesNotAnswerIsUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	client, err := New(Options{URL: "http://u:secret@" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	err = client.Get(t.Context(), "/overview", nil)
	if !IsUnreachable(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("the error is %v", err)
	}
}

func TestADialerLeadsToTheNode(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[1]") }))
	defer server.Close()
	client, err := New(Options{Dial: func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var got []int
	if err := client.Get(t.Context(), "/queues", &got); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPagesFollowEachOther(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		page := r.URL.Query().Get("page")
		fmt.Fprintf(w, `{"page":%s,"page_count":3,"items":[{"name":"n%s"}]}`, page, page)
	})
	var names []string
	for item, err := range Pages[Object](t.Context(), client, "/queues", nil) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, item["name"].(string))
	}
	if got := strings.Join(names, " "); got != "n1 n2 n3" {
		t.Errorf("the pages hold %s", got)
	}
}

func TestURLsThatAreNoneAreRefused(t *testing.T) {
	for _, wrong := range []string{"", "localhost:15672", "amqp://localhost", "http://",
		"http://u:secret@host:x"} {
		_, err := New(Options{URL: wrong})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
