package cli

import (
	"strings"
	"testing"
)

func TestUnknownCommandsAreMistakesInTheCall(t *testing.T) {
	for line, says := range map[string]string{
		"warren queue list --data x": `no command "queue": did you mean queues?`,
		"warren bogus":               `no command "bogus"; warren --help names all`,
		"warren polices list":        "did you mean policies?",
	} {
		code, _, stderr := run(strings.Fields(line)...)
		if code != exitUsage || !strings.Contains(stderr, says) {
			t.Errorf("%s exits with %d and says %q", line, code, stderr)
		}
	}
	for _, line := range []string{"warren", "warren help queues", "warren completion bash",
		"warren queues --help", "warren __complete que"} {
		if code, _, stderr := run(strings.Fields(line)...); code != exitOK {
			t.Errorf("%s exits with %d: %s", line, code, stderr)
		}
	}
}

func TestDistances(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"mesages", "messages", 1}, {"nam", "name", 1},
		{"kitten", "sitting", 3}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("from %q to %q it is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
