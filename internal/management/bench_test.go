package management

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/warrenmq/warren/internal/definition"
)

// manyQueues is a house with 10,000 queues, each tenth with messages.
func manyQueues(b *testing.B) *house {
	h := open(b)
	a := h.access()
	for i := range 10_000 {
		d := definition.Queue{Name: fmt.Sprintf("queue-%05d", (i*7919)%10_000)}
		if _, err := a.DeclareQueue(d); err != nil {
			b.Fatal(err)
		}
		if i%10 == 0 {
			h.publish(d.Name, 3)
		}
	}
	h.sampler.sample(h.started.Add(2 * time.Hour)) // as if time had passed
	return h
}

// BenchmarkManyQueues asks a node of 10,000 queues, without the network.
func BenchmarkManyQueues(b *testing.B) {
	h := manyQueues(b)
	operator := h.Operator()
	for _, path := range []string{
		"overview",
		"queues?page=1&page_size=100",
		"queues/%2F?page=57&page_size=100&sort=name&sort_reverse=true",
		"queues?page=1&page_size=100&name=77&use_regex=true",
		"queues?page=1&page_size=100&sort=messages&sort_reverse=true",
		"queues?page=1&page_size=100&sort=message_stats.publish_details.rate&sort_reverse=true" +
			"&msg_rates_age=60&msg_rates_incr=5&lengths_age=60&lengths_incr=5",
		"queues",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(http.MethodGet, "/api/"+path, nil)
				if operator.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
	b.Run("sample", func(b *testing.B) {
		at := h.started.Add(3 * time.Hour)
		for b.Loop() {
			at = at.Add(h.o.Interval)
			h.sampler.sample(at)
		}
	})
}
