package broker

import (
	"strconv"
	"testing"

	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
)

// TestExchangesThatChooseDoSoOnce although a message has several keys, and anew for each message.
func TestExchangesThatChooseDoSoOnce(t *testing.T) {
	for _, kind := range []string{"x-consistent-hash", "x-modulus-hash", "x-random"} {
		t.Run(kind, func(t *testing.T) {
			h := open(t, disk.NewMemory())
			c := h.guest()
			c.declareExchange(definition.Exchange{Name: "x", Type: kind})
			for i := range 10 {
				c.declare(strconv.Itoa(i), false)
				c.bind("x", strconv.Itoa(i), strconv.Itoa(i+1))
			}
			m := c.message("x", "", "", false)
			first, used := make(map[int]string), make(map[string]bool)
			for i := range 2000 {
				key := i % 200
				r := c.routes.RouteAll(c.Access, m.Exchange(), m.Properties(),
					strconv.AppendInt(nil, int64(key), 10), []byte("copy"), []byte("blind"))
				c.must(r.Err)
				if len(r.queues) != 1 {
					t.Fatalf("message %d goes to %d queues", i, len(r.queues))
				}
				name := r.queues[0].Name()
				used[name] = true
				if kind != "x-random" && first[key] != "" && first[key] != name {
					t.Fatalf("key %d goes to %s, after %s", key, name, first[key])
				}
				first[key] = name
			}
			if len(used) != 10 {
				t.Errorf("%d of 10 queues get messages", len(used))
			}
		})
	}
}
