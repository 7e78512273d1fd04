package management

import (
	"regexp"
	"strings"
	"testing"
)

// TestABrowserIsToldWhatIsHere by a page whose links lead somewhere, without a login.
func TestABrowserIsToldWhatIsHere(t *testing.T) {
	h := open(t)
	a := h.ask("", "GET", "/", "")
	if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "'none'") {
		t.Errorf("the policy for its content is %q", policy)
	}
	for _, no := range []string{"<script", "<style", "://", "guest"} {
		if strings.Contains(a.body, no) {
			t.Errorf("%s is in the page", no)
		}
	}
	links := regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(a.body, -1)
	if len(links) == 0 {
		t.Error("the page has no links")
	}
	for _, link := range links {
		if to := h.ask("guest", "GET", "/"+link[1], ""); to.status != 200 {
			t.Errorf("%s leads to %d", link[1], to.status)
		}
	}
	if a := h.ask("", "GET", "/nothing", ""); a.status != 404 {
		t.Errorf("what is not there is answered with %d", a.status)
	}
	if a := h.ask("", "POST", "/", ""); a.status != 405 {
		t.Errorf("POST is answered with %d", a.status)
	}
}
