package management

import (
	"net/url"
	"strings"
	"testing"
)

// TestNoAnswerHasASecret asks for everything there is, after secrets have been given away wherever
// there is a place for one.
func TestNoAnswerHasASecret(t *testing.T) {
	h := open(t)
	const secret = "s3cr3t-w0rd"
	h.user("policymaker", true, tagPolicymaker)
	h.user("monitor", true, tagMonitoring)
	h.user("manager", true, tagManagement)
	for _, made := range [][3]string{
		{"PUT", "/api/users/ann", `{"password":"` + secret + `","tags":"management"}`},
		{"PUT", "/api/parameters/federation-upstream/%2F/up",
			`{"value":{"uri":"amqp://ann:` + secret + `@host:5672/%2f?password=` + secret + `"}}`},
		{"PUT", "/api/parameters/shovel/%2F/sh", `{"value":{"src-uri":["amqps://ann:` + secret +
			`@one","amqp://ann:` + secret + `@two/v"],"password":"` + secret + `"}}`},
		{"PUT", "/api/global-parameters/broker",
			`{"value":{"deep":[{"client_secret":"` + secret + `"}],"n":1.50}}`},
	} {
		if a := h.ask("guest", made[0], made[1], made[2]); a.status != 201 {
			t.Fatalf("%s %s: %d %s", made[0], made[1], a.status, a.body)
		}
	}
	names := strings.NewReplacer(":vhost", "%2F", ":user", "ann", ":component", "shovel",
		":node", "warren@test", ":within", "1", ":unit", "days", ":port", "1", ":password", "x")
	exports := map[string]bool{
		"/api/definitions": true, "/api/definitions/:vhost": true, "/api/all-configuration": true,
	}
	hashes := map[string]bool{
		"/api/users": true, "/api/users/:user": true, "/api/users/without-permissions": true,
	}
	asked := 0
	for _, r := range h.routes {
		if r.method != "GET" || strings.HasPrefix(r.path, "/api/warren/") {
			continue
		}
		for _, user := range []string{"guest", "policymaker", "monitor", "manager", ""} {
			asked++
			a := h.ask(user, "GET", names.Replace(r.path), "")
			administrates := user == "guest"
			if strings.Contains(a.body, secret) && !(exports[r.path] && administrates) {
				t.Errorf("%s: GET %s: %s", user, r.path, a.body)
			}
			if strings.Contains(a.body, `"password_hash"`) &&
				!((exports[r.path] || hashes[r.path]) && administrates) &&
				r.path != "/api/openapi.json" {
				t.Errorf("%s: GET %s has hashes: %s", user, r.path, a.body)
			}
			if strings.Contains(a.header.Get("Set-Cookie"), "auth") {
				t.Errorf("GET %s sets a cookie", r.path)
			}
		}
	}
	if asked < 200 {
		t.Errorf("only %d requests were made", asked)
	}
	// What is not secret is still there.
	a := h.ask("guest", "GET", "/api/parameters/shovel/%2F/sh", "")
	if !strings.Contains(a.body, "amqps://ann:******@one") {
		t.Errorf("the shovel is %s", a.body)
	}
}

func TestErrorsDoNotRepeatPasswords(t *testing.T) {
	h := open(t)
	const secret = "s3cr3t-w0rd"
	for _, wrong := range []string{
		`{"password":"` + secret + `"}`,
		`{"password":"` + secret + `","tags":5}`,
		`{"password":"` + secret + `","password_hash":"x","tags":""}`,
		`{"password":"` + secret + `","hashing_algorithm":"rot13","tags":""}`,
		`{"password":"` + secret,
	} {
		a := h.ask("guest", "PUT", "/api/users/ann", wrong)
		if a.status != 400 || strings.Contains(a.body, secret) {
			t.Errorf("%s: %d %s", wrong, a.status, a.body)
		}
	}
}

func TestLoginGivesNoCookie(t *testing.T) {
	h := open(t)
	form := url.Values{"username": {"guest"}, "password": {"guest"}}.Encode()
	a := h.ask("", "POST", "/api/login", form)
	if a.status != 200 || a.body != `"ok"` || a.header.Get("Set-Cookie") != "" {
		t.Errorf("login: %d %s, cookie %q", a.status, a.body, a.header.Get("Set-Cookie"))
	}
	form = url.Values{"username": {"guest"}, "password": {"wrong"}}.Encode()
	if a := h.ask("", "POST", "/api/login", form); a.status != 401 {
		t.Errorf("login with a wrong password: %d %s", a.status, a.body)
	}
}

func FuzzRedacted(f *testing.F) {
	f.Add(`{"uri":"amqp://a:b@c/d?e=f"}`)
	f.Add(`["://@?","a://b:c","x://u:p@h@i:1/#"]`)
	f.Fuzz(func(t *testing.T, text string) {
		clean := redacted(text)
		if again := redacted(clean); again != clean {
			t.Errorf("%q becomes %q, and that %q", text, clean, again)
		}
	})
}
