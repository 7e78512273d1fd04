package management

import (
	"net/http"
	"strings"
	"testing"
)

func TestPagesOfOtherOriginsChangeNothing(t *testing.T) {
	h := open(t, func(o *Options) { o.AllowOrigins = []string{"https://good.example"} })
	for _, test := range []struct {
		site, origin string
		status       int
	}{
		{"", "", 201}, {"same-origin", "", 201}, {"none", "", 201},
		{"cross-site", "https://good.example", 201},
		{"cross-site", "https://evil.example", 403}, {"", "https://evil.example", 403},
		{"same-site", "https://sub.good.example", 403},
	} {
		name := strings.NewReplacer("://", "", ".", "").Replace("q" + test.site + test.origin)
		r, err := http.NewRequestWithContext(t.Context(), "PUT", h.url+"/api/queues/%2F/"+name,
			strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("guest", "guest")
		if test.site != "" {
			r.Header.Set("Sec-Fetch-Site", test.site)
		}
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		response, err := h.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s %s: %d", test.site, test.origin, response.StatusCode)
		}
		if made := h.broker.VHost("/").Queue(name) != nil; made != (test.status == 201) {
			t.Errorf("%s %s: the queue is made: %t", test.site, test.origin, made)
		}
	}
}
