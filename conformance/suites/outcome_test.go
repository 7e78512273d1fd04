package suites

import (
	"strings"
	"testing"
)

func TestExpectationsAreReadWithTheirReasons(t *testing.T) {
	text := "# why\n\nTestA - needs B\nd - e > f - g\n"
	expected, err := readExpected(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(expected) != 2 || expected["TestA"] != "needs B" || expected["d - e > f"] != "g" {
		t.Errorf("read %q", expected)
	}
	for _, wrong := range []string{"TestA", "TestA - ", "TestA - x\nTestA - y"} {
		if _, err := readExpected(wrong); err == nil {
			t.Errorf("%q was read", wrong)
		}
	}
}

func TestAVerdictNamesWhatIsWrong(t *testing.T) {
	expected := map[string]string{"a": "reason a", "b": "reason b", "c": "reason c", "d": "gone"}
	outcomes := []outcome{
		{"a", failed, "as always"}, {"b", passed, ""}, {"c", skipped, ""},
		{"e", passed, ""}, {"f", failed, "boom"}, {"g", skipped, "no time"},
	}
	v := judge(outcomes, []string{"a", "e", "h"}, expected)
	if v.ok() {
		t.Error("nothing is wrong")
	}
	const want = `s: 2 passed, 2 failed, 1 failed and 1 were skipped as expected
	expected fail: a - reason a
	expected skip: c - reason c
	passed although it is listed: b - reason b
	did not run: d
	did not run: h
	FAIL: f
		boom
	SKIP: g
		no time`
	if got := v.report("s", expected); got != want {
		t.Errorf("reported\n%s\nwant\n%s", got, want)
	}
	if v := judge(outcomes[:4], []string{"a", "e"}, map[string]string{
		"a": "", "b": "", "c": "",
	}); !v.ok() {
		t.Errorf("what is listed is held against the broker: %s", v.report("s", nil))
	}
	if strings.Contains(v.report("s", expected), "as always") {
		t.Error("an expected failure is told at length")
	}
}
