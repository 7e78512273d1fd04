package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNumbersAreForPeople(t *testing.T) {
	for n, want := range map[int]string{0: "0 files", 1: "1 file", 2: "2 files"} {
		if got := counted(n, "file"); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for n, want := range map[json.Number]string{
		"0": "0", "0.04": "0", "3270.907193487645": "3270.9",
		"9999.96": "10.0k", "12345.6": "12.3k", "999950": "1.0M", "2500000": "2.5M",
	} {
		if got := perSecond(object{"rate": n}, "rate"); got != want {
			t.Errorf("%s is %q, want %q", n, got, want)
		}
	}
}

// TestResultsAreNoErrors, and what a rule found is one group.
func TestResultsAreNoErrors(t *testing.T) {
	s := newScript(t)
	for _, name := range []string{"q1", "q2", "q3", "q4", "q5"} {
		s.want("queues declare " + name + " --dead-letter-exchange gone")
	}
	code, stdout, stderr := s.run("doctor")
	if code != exitSerious || stderr != "" ||
		!strings.Contains(stdout, `5 objects, queue "q1" in "/", `) ||
		!strings.Contains(stdout, `"q3" in "/" and 2 more: `) || strings.Contains(stdout, "q4") ||
		strings.Count(stdout, "[dead-letter-exchange-missing]") != 1 {
		t.Errorf("doctor says, with %d, %s%s", code, stdout, stderr)
	}
	_, stdout, _ = s.run("doctor --json")
	if strings.Count(stdout, `"dead-letter-exchange-missing"`) != 5 {
		t.Errorf("for programs there are %s", stdout)
	}
	if code, _, stderr := s.run("definitions diff ../../testdata/none.json"); code == exitDiffers {
		t.Errorf("a file that is not there differs: %s", stderr)
	}
	s.want("status", "5 queues, ", "0 connections, ")
}
