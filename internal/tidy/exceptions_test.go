package tidy

import (
	"slices"
	"testing"
)

// exception lets one thing break one rule.
type exception struct {
	rule  string
	where string // the finding's path, a space, and its name
	why   string // the reason, for the reader who would remove it
}

// exceptions lists what may break a rule, and why. Keep it short: a rule with many exceptions is
// the wrong rule.
func exceptions() []exception {
	const pool = "free memory, shared by all nodes of a process: nobody misses what is in it"
	return []exception{
		{"globals", "internal/protocol/amqp091/input.go inputs", pool},
		{"globals", "internal/protocol/amqp091/frames.go framesPool", pool},
		{"globals", "internal/protocol/amqp091/unacked.go unackedPool", pool},
	}
}

// excuses matches findings with exceptions and remembers which were needed.
type excuses struct {
	list []exception
	used []bool
}

func newExcuses(list []exception) *excuses {
	return &excuses{list: list, used: make([]bool, len(list))}
}

// cover reports whether an exception with a reason covers what the rule found.
func (e *excuses) cover(rule string, f finding) bool {
	i := slices.IndexFunc(e.list, func(x exception) bool {
		return x.rule == rule && x.where == f.path+" "+f.name && x.why != ""
	})
	if i < 0 {
		return false
	}
	e.used[i] = true
	return true
}

// unused returns the exceptions that covered nothing.
func (e *excuses) unused() []exception {
	var rest []exception
	for i, x := range e.list {
		if !e.used[i] {
			rest = append(rest, x)
		}
	}
	return rest
}

func TestAnExceptionCoversWhatItNamesAndNothingElse(t *testing.T) {
	e := newExcuses([]exception{
		{"sizes", "internal/queue/apply.go apply", "the dispatch switch"},
		{"words", "amqp/frame.go TODO", ""},
	})
	f := finding{path: "internal/queue/apply.go", name: "apply"}
	if !e.cover("sizes", f) {
		t.Error("the exception does not cover its own finding")
	}
	if e.cover("floors", f) {
		t.Error("the exception covers another rule")
	}
	if e.cover("sizes", finding{path: "internal/queue/apply.go", name: "other"}) {
		t.Error("the exception covers another function")
	}
	if e.cover("words", finding{path: "amqp/frame.go", name: "TODO"}) {
		t.Error("an exception without a reason is accepted")
	}
	if rest := e.unused(); len(rest) != 1 || rest[0].rule != "words" {
		t.Errorf("unused exceptions: %v, want the one of words", rest)
	}
}
