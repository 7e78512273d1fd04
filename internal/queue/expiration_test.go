package queue

import (
	"strings"
	"testing"
)

// TestExpirationIsReadAsRabbitMQReadsIt: what a door lets pass counts here, however it is written.
func TestExpirationIsReadAsRabbitMQReadsIt(t *testing.T) {
	for text, want := range map[string]int64{
		"": None, "0": 0, "7": 7, "+7": 7, "-0": 0, "-000": 0, "000007": 7,
		strings.Repeat("0", 250) + "7": 7, "315360000000": 315_360_000_000,
		"+": None, "-": None, "-7": None, "7x": None, "+-7": None, " 7": None,
		"999999999999999999": 999_999_999_999_999_999, "1000000000000000000": None,
	} {
		m := storyMessageWith(t, "m", 0, testProperties(text, true, 0, false))
		if got := expiration(&m); got != want {
			t.Errorf("expiration %q is %d, want %d", text, got, want)
		}
	}
}
