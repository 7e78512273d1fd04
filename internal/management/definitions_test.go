package management

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// clusterID tells one node from all others.
var clusterID = regexp.MustCompile(`rabbitmq-cluster-id-[\w-]+`)

// importInto posts definitions and returns the answer.
func (h *house) importInto(body string) answer {
	h.t.Helper()
	return h.ask("guest", "POST", "/api/definitions", body)
}

func TestImportOfManyThingsIsQuickAndAddsOnly(t *testing.T) {
	h := open(t)
	const count = 2000
	var queues, bindings []string
	for i := range count {
		queues = append(queues, fmt.Sprintf(
			`{"name":"q%d","vhost":"/","durable":true,"auto_delete":false,"arguments":{}}`, i))
		bindings = append(bindings, fmt.Sprintf(`{"source":"amq.topic","vhost":"/",`+
			`"destination":"q%d","destination_type":"queue","routing_key":"k","arguments":{}}`, i))
	}
	text := `{"queues":[` + strings.Join(queues, ",") + `],"bindings":[` +
		strings.Join(bindings, ",") + `]}`
	h.declare("mine")
	for range 2 {
		if a := h.importInto("\xef\xbb\xbf" + text); a.status != 204 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	v := h.broker.VHost("/")
	if n := len(v.Queues()); n != count+1 {
		t.Errorf("%d queues", n)
	}
	if n := len(v.BindingsFrom("amq.topic")); n != count {
		t.Errorf("%d bindings", n)
	}
}

func TestImportRefusesWithoutMakingHalf(t *testing.T) {
	h := open(t)
	for _, wrong := range []string{
		`{"queues":[{"name":"q","vhost":"/"}],"policies":[{"vhost":"/","pattern":"a"}]}`,
		`{"queues":[{"name":"q","vhost":"/"}],"users":[{"tags":""}]}`,
		`{"queues":[{"name":"q","vhost":"/"}],"bindings":[{"destination_type":"x"}]}`,
		`{"queues":[{"name":"q","vhost":"/"},{"vhost":"/"}]}`,
		`{"queues":[{"name":"q","vhost":"/"}],"users":[{"name":"u","tags":"","limits":{"x":"y"}}]}`,
		`{"queues":[{"name":"q","vhost":"/"}]`, `{"queues":7}`, `[]`, `null{}`, "\x00",
		strings.Repeat("[", 100_000),
	} {
		if a := h.importInto(wrong); a.status != 400 {
			t.Errorf("%.80s: %d %s", wrong, a.status, a.body)
		}
	}
	if h.broker.VHost("/").Queue("q") != nil {
		t.Error("a queue was made")
	}
}

func TestImportIsBounded(t *testing.T) {
	h := open(t, func(o *Options) { o.BodyMax = 1000 })
	if a := h.importInto(`{"x":"` + strings.Repeat("y", 1000) + `"}`); a.status != 413 {
		t.Errorf("%d %s", a.status, a.body)
	}
	a := h.upload(t, `{"x":"`+strings.Repeat("y", 1000)+`"}`, "")
	if a.StatusCode != 413 {
		t.Errorf("as a form: %d", a.StatusCode)
	}
}

// upload sends definitions as the form of a web page does, and does not follow where that leads.
func (h *house) upload(t *testing.T, definitions, redirect string) *http.Response {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile(uploadField, "definitions.json")
	if err == nil {
		_, err = file.Write([]byte(definitions))
	}
	if err == nil && redirect != "" {
		err = w.WriteField("redirect", redirect)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+"/api/definitions", &form)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	r.Header.Set("Content-Type", w.FormDataContentType())
	response, err := h.client.Transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func TestUploadedFormIsImportedAndLeadsNowhereElse(t *testing.T) {
	h := open(t)
	for i, test := range []struct {
		redirect string
		status   int
	}{
		{"", 204}, {"/#/import-succeeded", 303}, {"//evil.example/", 204},
		{"https://evil.example/", 204}, {`/\evil.example`, 204},
	} {
		name := fmt.Sprint("v", i)
		a := h.upload(t, `{"vhosts":[{"name":"`+name+`"}]}`, test.redirect)
		if a.StatusCode != test.status {
			t.Errorf("redirect %q: %d %s", test.redirect, a.StatusCode, a.Header.Get("Location"))
		}
		if h.broker.VHost(name) == nil {
			t.Errorf("redirect %q: nothing was imported", test.redirect)
		}
	}
}

func TestExportImportsIntoAnotherNode(t *testing.T) {
	h := open(t)
	h.user("ann", true, tagManagement, "own")
	for _, made := range [][2]string{
		{"/api/vhosts/v", `{"description":"d","tags":["a"],"default_queue_type":"quorum"}`},
		{"/api/queues/v/q", `{"durable":true,"arguments":{"x-max-length":5}}`},
		{"/api/exchanges/v/x", `{"type":"topic","durable":true,"internal":true}`},
		{"/api/policies/v/p", `{"pattern":"^q","definition":{"max-length":9},"priority":-2}`},
		{"/api/operator-policies/v/o", `{"pattern":"","definition":{"expires":9000}}`},
		{"/api/vhost-limits/v/max-queues", `{"value":9}`},
		{"/api/user-limits/ann/max-channels", `{"value":8}`},
		{"/api/topic-permissions/%2F/ann", `{"exchange":"amq.topic","write":"^a","read":"^b"}`},
		{"/api/global-parameters/g", `{"value":{"uri":"amqp://a:b@c","n":[1,2.5,1e3]}}`},
		{"/api/parameters/shovel/v/s", `{"value":{"src-uri":"amqp://a:b@c"}}`},
	} {
		if a := h.ask("guest", "PUT", made[0], made[1]); a.status > 204 {
			t.Fatalf("%s: %d %s", made[0], a.status, a.body)
		}
	}
	a := h.ask("guest", "POST", "/api/bindings/v/e/x/q/q",
		`{"routing_key":"k","arguments":{"a":1}}`)
	if a.status != 201 {
		t.Fatal(a)
	}
	first := h.ask("guest", "GET", "/api/definitions", "").body
	other := open(t)
	if a := other.importInto(first); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	second := other.ask("guest", "GET", "/api/definitions", "").body
	if clusterID.ReplaceAllString(second, "") != clusterID.ReplaceAllString(first, "") {
		t.Errorf("exported was\n%s, then\n%s", first, second)
	}
	if clusterID.FindString(second) == clusterID.FindString(first) {
		t.Error("two nodes have the same identity")
	}
	if a := other.ask("ann", "GET", "/api/whoami", ""); a.status != 200 {
		t.Errorf("ann logs in there: %d %s", a.status, a.body)
	}
}

func TestImportIntoOneVHostStaysThere(t *testing.T) {
	h := open(t)
	for _, vhost := range []string{"a", "b"} {
		if a := h.ask("guest", "PUT", "/api/vhosts/"+vhost, ""); a.status != 201 {
			t.Fatal(a)
		}
	}
	a := h.ask("guest", "POST", "/api/definitions/a", `{"queues":[{"name":"q","vhost":"b"}],
		"users":[{"name":"u","tags":"administrator","password":"u"}],
		"policies":[{"name":"p","vhost":"b","pattern":"","definition":{"max-length":1}}]}`)
	if a.status != 204 {
		t.Fatal(a)
	}
	if h.broker.VHost("a").Queue("q") == nil || h.broker.VHost("b").Queue("q") != nil ||
		len(h.broker.VHost("b").Policies()) != 0 {
		t.Error("it is in the other vhost")
	}
	if _, ok := h.broker.User("u"); ok {
		t.Error("a user was made")
	}
}
