package wiretest

import (
	"flag"
	"os"
	"testing"
)

// TestRabbitMQGivesTheAnswersOfTheStories replays every story on the RabbitMQ whose address
// is in WARREN_WIRE_ADDR, or, with -rewrite, records its answers. What warren answers is
// tested beside warren.
func TestRabbitMQGivesTheAnswersOfTheStories(t *testing.T) {
	addr := os.Getenv("WARREN_WIRE_ADDR")
	if addr == "" {
		t.Skip("WARREN_WIRE_ADDR names no RabbitMQ; the conformance suite starts one for this")
	}
	for _, file := range Files() {
		t.Run(file, func(t *testing.T) {
			if *rewrite {
				if err := WriteStory(file, Record(t, addr, file)); err != nil {
					t.Fatal(err)
				}
				return
			}
			RunReference(t, addr, file)
		})
	}
}

var rewrite = flag.Bool("rewrite", false, "record the stories on WARREN_WIRE_ADDR")
