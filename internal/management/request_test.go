package management

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLoginIsAskedForAsRabbitMQDoes(t *testing.T) {
	h := open(t)
	h.user("none", true)
	const refused = `{"error":"not_authorised","reason":"Not `
	for _, test := range []struct {
		user, path, body string
		status           int
		challenge        bool
	}{
		{"", "/api/overview", "", 401, true},
		{"nobody", "/api/overview", `{"error":"not_authorized","reason":"Login failed"}`, 401,
			true},
		{"none", "/api/overview", refused + `management user"}`, 401, false},
		{"none", "/api/nodes", refused + `management user"}`, 401, false},
		{"guest", "/api/whoami", "", 200, false},
	} {
		a := h.ask(test.user, "GET", test.path, "")
		if a.status != test.status || test.body != "" && a.body != test.body {
			t.Errorf("%s as %q: %d %s", test.path, test.user, a.status, a.body)
		}
		challenge := `Basic realm="RabbitMQ Management"`
		if (a.header.Get("WWW-Authenticate") == challenge) != test.challenge {
			t.Errorf("%s as %q asks %q", test.path, test.user, a.header.Get("WWW-Authenticate"))
		}
	}
}

func TestTagsOpenWhatRabbitMQSays(t *testing.T) {
	h := open(t)
	for _, tag := range []string{tagManagement, tagPolicymaker, tagMonitoring, tagAdministrator} {
		h.user(tag, false, "own", tag)
	}
	for path, want := range map[string][4]int{ // in the order of the tags above
		"/api/overview":            {200, 200, 200, 200},
		"/api/nodes":               {401, 401, 200, 200},
		"/api/queues":              {200, 200, 200, 200},
		"/api/queues/%2F":          {401, 401, 401, 200},
		"/api/exchanges/%2F/":      {401, 401, 401, 200},
		"/api/consumers/%2F":       {401, 401, 200, 200},
		"/api/vhosts/%2F/channels": {401, 401, 401, 200},
		"/api/nodes/warren@test":   {401, 401, 200, 200},
	} {
		for i, tag := range []string{
			tagManagement, tagPolicymaker, tagMonitoring, tagAdministrator,
		} {
			if a := h.ask(tag, "GET", path, ""); a.status != want[i] {
				t.Errorf("%s for %s: %d, want %d", path, tag, a.status, want[i])
			}
		}
	}
}

func TestMethodsAreThoseOfThePath(t *testing.T) {
	h := open(t)
	for _, test := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"HEAD", "/api/overview", 200, ""},
		{"OPTIONS", "/api/overview", 200, "HEAD, GET, OPTIONS"},
		{"OPTIONS", "/api/queues/%2F/q", 200, "HEAD, GET, PUT, DELETE, OPTIONS"},
		{"POST", "/api/overview", 405, "HEAD, GET, OPTIONS"},
		{"TRACE", "/api/overview", 405, "HEAD, GET, OPTIONS"},
		{"GET", "/api/nothing", 404, ""},
		{"GET", "/api/%zz", 400, ""}, // net/http refuses it
		{"GET", "/api/overview/", 200, ""},
		{"GET", "//api/overview", 404, ""},
		{"GET", "/api/queues/%2F/../overview", 404, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), test.method, h.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("guest", "guest")
		r.URL.Opaque = test.path
		response, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != test.status || response.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: %s, Allow %q", test.method, test.path, response.Status,
				response.Header.Get("Allow"))
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := open(t, func(o *Options) { o.BodyMax = 10_000 })
	const path = "/api/queues/%2F/q"
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"over the limit": {`{"arguments":{"x":"` + strings.Repeat("a", 10_000) + `"}}`, 413},
		"too deep": {strings.Repeat(`{"arguments":`, 500) + "1" + strings.Repeat("}", 500),
			400},
		"too deep lists": {strings.Repeat(`[`, 9000), 400},
		"no object":      {`[]`, 400},
		"no JSON":        {`{"durable":tru`, 400},
		"two":            {`{} {}`, 400},
		"wrong type":     {`{"arguments":"text"}`, 400},
		"null argument":  {`{"arguments":{"x":null}}`, 400},
		"good":           {`{"arguments":{"x-max-length":10}}`, 201},
	} {
		if a := h.ask("guest", "PUT", path, test.body); a.status != test.status {
			t.Errorf("%s: %d %.200s", name, a.status, a.body)
		}
	}
}

func TestAnswersAreCompressedForThoseWhoWant(t *testing.T) {
	h := open(t)
	h.declare(strings.Repeat("q", 200))
	r, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/queues", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	r.Header.Set("Accept-Encoding", "br, gzip;q=0.5")
	response, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("the answer is %v", response.Header)
	}
	in, err := gzip.NewReader(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil || string(text) != h.ask("guest", "GET", "/api/queues", "").body {
		t.Errorf("%v: %s", err, text)
	}
	for header, want := range map[string]bool{
		"": false, "gzip": true, "gzip;q=0": false, "deflate, *": true, "identity": false,
		"gzip; q=0.0, br": false, "GZIP": false,
	} {
		if acceptsGzip(header) != want {
			t.Errorf("%q is taken for %t", header, !want)
		}
	}
}

func TestOtherOriginsAreOnlyAllowedWhenSaid(t *testing.T) {
	for _, test := range []struct {
		allowed []string
		origin  string
		want    string
	}{
		{nil, "https://example.com", ""},
		{[]string{"https://example.com"}, "https://example.com", "https://example.com"},
		{[]string{"https://example.com"}, "https://example.com.evil.com", ""},
		{[]string{"*"}, "https://other.com", "*"},
		{[]string{"*"}, "", ""},
	} {
		h := open(t, func(o *Options) { o.AllowOrigins = test.allowed })
		r, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/whoami", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("guest", "guest")
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		response, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != test.want {
			t.Errorf("%v to %q: %q", test.allowed, test.origin, got)
		}
		if response.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("a page is sent the credentials of the browser")
		}
	}
}

// The server waits for nobody for ever: not for headers, nor for a body, nor for the next request.
func TestServerIsImpatient(t *testing.T) {
	s := open(t).Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 ||
		s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("the server is %+v", s)
	}
}

func TestOperatorNeedsNoLogin(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/api/nodes", "/api/queues/%2F", "/api/users", "/api/whoami"} {
		w := httptest.NewRecorder()
		r, err := http.NewRequestWithContext(t.Context(), "GET", path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if h.Operator().ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// KEDA scales by what these two requests answer.
func TestKEDAFindsWhatItReads(t *testing.T) {
	h := open(t)
	h.declare("orders-a", "orders-b", "other")
	h.publish("orders-a", 30)
	h.publish("orders-b", 10)
	type queue struct {
		Messages      int
		MessagesReady int `json:"messages_ready"`
		MessagesUnack int `json:"messages_unacknowledged"`
		Name          string
		MessageStat   struct {
			PublishDetail    struct{ Rate float64 } `json:"publish_details"`
			DeliverGetDetail struct{ Rate float64 } `json:"deliver_get_details"`
		} `json:"message_stats"`
	}
	q := get[queue](h, "/api/queues/%2F/orders-a")
	if q.Messages != 30 || q.MessagesReady != 30 || q.MessageStat.PublishDetail.Rate <= 0 {
		t.Errorf("one queue: %+v", q)
	}
	list := get[struct {
		Queues []queue `json:"items"`
		Pages  int     `json:"page_count"`
	}](h, "/api/queues/%2F?page=1&use_regex=true&pagination=false&name=%5Eorders&page_size=100")
	sum := 0
	for _, q := range list.Queues {
		sum += q.Messages
	}
	if len(list.Queues) != 2 || list.Pages != 1 || sum != 40 {
		t.Errorf("queues by a pattern: %+v", list)
	}
}
