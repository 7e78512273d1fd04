package definition

import (
	"fmt"
	"testing"
)

// many are the queues of a vhost with policiesMax policies.
const many = 10_000

// BenchmarkAPolicyAmongMany puts and clears a policy for all queues in a vhost of many queues
// that has as many policies as it may: for names that begin with something or have it somewhere,
// which most have not, or with patterns that have to be tried on every name.
func BenchmarkAPolicyAmongMany(b *testing.B) {
	for what, pattern := range map[string]string{
		"prefixes": "^tenant-%d\\.", "anywhere": "[a-z]*-%d\\.", "all match": ".*|%d",
	} {
		b.Run(what, func(b *testing.B) {
			v := newStory().vhost
			limit := settings("max-length", 5)
			for i := range policiesMax - 1 {
				_, err := v.PutPolicy(Policy{
					Name: fmt.Sprint("p", i), Pattern: fmt.Sprintf(pattern, i), Priority: 1,
					Definition: limit,
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			before := b.Elapsed()
			for i := range many {
				_, _, err := v.DeclareQueue(Queue{Name: fmt.Sprintf("tenant-%d.q-%d", i%1000, i)})
				if err != nil {
					b.Fatal(err)
				}
			}
			declaring := b.Elapsed() - before
			b.ResetTimer()
			for b.Loop() {
				_, err := v.PutPolicy(Policy{Name: "all", Priority: 2, Definition: limit})
				if err != nil {
					b.Fatal(err)
				}
				v.ClearPolicy("all")
			}
			b.ReportMetric(float64(declaring.Nanoseconds())/many, "ns/declare")
		})
	}
}
