package suites

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// How a test of a suite ended.
const (
	passed  = "pass"
	failed  = "fail"
	skipped = "skip"
)

// outcome is how one test of a suite ended, and what it said if it did not pass.
type outcome struct {
	name   string
	result string
	output string
}

// readExpected reads lines "name - reason", those that may fail or be skipped, by name. Empty lines
// and those that begin with # are for the reader.
func readExpected(text string) (map[string]string, error) {
	expected := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cut := strings.LastIndex(line, " - ")
		if cut < 0 || strings.TrimSpace(line[cut+len(" - "):]) == "" {
			return nil, fmt.Errorf("line %d has no reason: %q", i+1, line)
		}
		name := strings.TrimSpace(line[:cut])
		if _, twice := expected[name]; twice {
			return nil, fmt.Errorf("line %d: %q is listed twice", i+1, name)
		}
		expected[name] = strings.TrimSpace(line[cut+len(" - "):])
	}
	return expected, nil
}

// verdict is what the outcomes of a suite mean.
type verdict struct {
	passed     int
	expected   []outcome // listed, and they did not pass
	unexpected []outcome // not listed, and they did not pass
	surprises  []string  // listed, and they passed
	unseen     []string  // listed, or said to exist, and they did not run
}

// judge compares the outcomes of a suite with the tests that it is said to have and with those
// that are expected not to pass.
func judge(outcomes []outcome, tests []string, expected map[string]string) verdict {
	slices.SortStableFunc(outcomes, func(a, b outcome) int { return cmp.Compare(a.name, b.name) })
	var v verdict
	ran := map[string]bool{}
	for _, o := range outcomes {
		ran[o.name] = true
		_, listed := expected[o.name]
		switch {
		case o.result == passed && listed:
			v.passed++
			v.surprises = append(v.surprises, o.name)
		case o.result == passed:
			v.passed++
		case listed:
			v.expected = append(v.expected, o)
		default:
			v.unexpected = append(v.unexpected, o)
		}
	}
	for name := range expected {
		tests = append(tests, name)
	}
	slices.Sort(tests)
	for _, name := range slices.Compact(tests) {
		if !ran[name] {
			v.unseen = append(v.unseen, name)
		}
	}
	return v
}

// ok says that nothing is wrong with the broker, nor with the list.
func (v verdict) ok() bool { return len(v.unexpected) == 0 && len(v.unseen) == 0 }

// report is the counts, and by name what did not pass.
func (v verdict) report(suite string, expected map[string]string) string {
	var text strings.Builder
	failures, skips := 0, 0
	for _, o := range v.expected {
		if o.result == skipped {
			skips++
		} else {
			failures++
		}
	}
	fmt.Fprintf(&text, "%s: %d passed, %d failed, %d failed and %d were skipped as expected",
		suite, v.passed, len(v.unexpected), failures, skips)
	for _, o := range v.expected {
		fmt.Fprintf(&text, "\n\texpected %s: %s - %s", o.result, o.name, expected[o.name])
	}
	for _, name := range v.surprises {
		fmt.Fprintf(&text, "\n\tpassed although it is listed: %s - %s", name, expected[name])
	}
	for _, name := range v.unseen {
		fmt.Fprintf(&text, "\n\tdid not run: %s", name)
	}
	for _, o := range v.unexpected {
		fmt.Fprintf(&text, "\n\t%s: %s\n\t\t%s", strings.ToUpper(o.result), o.name,
			strings.ReplaceAll(strings.TrimSpace(o.output), "\n", "\n\t\t"))
	}
	return text.String()
}
