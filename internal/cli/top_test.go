package cli

import (
	"strings"
	"testing"
)

func TestTopEndsByItsKeys(t *testing.T) {
	for input, want := range map[string]bool{
		"xq": true, "Q": true, "\x03": true, "": true, // the end of the input is an end, too
	} {
		ended := false
		keys(strings.NewReader(input), func() { ended = true })
		if ended != want {
			t.Errorf("%q ends: %t", input, ended)
		}
	}
}

func TestBarsAreForTerminals(t *testing.T) {
	var out strings.Builder
	b := newBar(&out)
	b.set("moving", 1, 2)
	b.end()
	if out.Len() > 0 {
		t.Errorf("a file gets %q", out.String())
	}
	b.visible = true
	b.set("moving", 1, 2)
	b.set("moving", 1, 2) // too soon
	b.end()
	if got := out.String(); strings.Count(got, "1 of 2") != 1 || !strings.Contains(got, "####") {
		t.Errorf("a terminal gets %q", got)
	}
}
