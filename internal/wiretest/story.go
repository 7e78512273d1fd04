package wiretest

import (
	"fmt"
	"slices"
	"strings"
)

const (
	dashes       = "----"
	warrenDashes = "---- warren"
)

// step is a group of commands and the answers to them.
type step struct {
	line     int      // of the first command, from 1
	before   []string // comments and empty lines above, as they are
	commands []string
	answers  []string
	warren   []string // what warren answers, if that differs
	differs  bool
}

// want returns what the broker has to answer.
func (s *step) want(warren bool) []string {
	if warren && s.differs {
		return s.warren
	}
	return s.answers
}

// questions counts the commands on a connection that have an answer of their own.
func (s *step) questions(name string) (n int) {
	for _, line := range s.commands {
		peer, _, rest := splitAddress(line)
		words := splitWords(rest)
		if peer != name || slices.Contains(words, "no-wait") {
			continue
		}
		if newMethod(words[0]+"-ok") != nil {
			n++
		}
	}
	return n
}

// sends tells whether the last command on a connection sends something that may be refused.
func (s *step) sends(name string) (yes bool) {
	for _, line := range s.commands {
		peer, _, rest := splitAddress(line)
		if peer == name {
			switch splitWords(rest)[0] {
			case "login", "logout", "reopen", "connect", "drop", "count", "gone", "eof":
				yes = false
			default:
				yes = true
			}
		}
	}
	return yes
}

// story is a file taken apart.
type story struct {
	steps []*step
	after []string // comments at the end
}

// parseStory reads a file. A step without dashes is an error, so that no answer goes unasked.
func parseStory(text string) (*story, error) {
	s := &story{}
	next := &step{}
	part := &next.before
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		comment := line == "" || strings.HasPrefix(line, "#")
		switch {
		case part == &next.before && comment:
			*part = append(*part, line)
			continue
		case part == &next.before && strings.HasPrefix(line, dashes):
			return nil, fmt.Errorf("line %d: %s without a command", i+1, dashes)
		case part == &next.before:
			part, next.line = &next.commands, i+1
		case line == "" && part == &next.commands:
			return nil, fmt.Errorf("line %d: a step without %s", i+1, dashes)
		case line == "":
			s.steps = append(s.steps, next)
			next = &step{before: []string{""}}
			part = &next.before
			continue
		}
		switch {
		case line == dashes && part == &next.commands:
			part = &next.answers
		case line == warrenDashes && part == &next.answers:
			part, next.differs = &next.warren, true
		case strings.HasPrefix(line, dashes):
			return nil, fmt.Errorf("line %d: %q out of place", i+1, line)
		default:
			*part = append(*part, line)
		}
	}
	switch part {
	case &next.before:
		s.after = next.before
	case &next.commands:
		return nil, fmt.Errorf("line %d: a step without %s", next.line, dashes)
	default:
		s.steps = append(s.steps, next)
	}
	return s, nil
}

// String returns the text of the file.
func (s *story) String() string {
	var lines []string
	for _, step := range s.steps {
		lines = append(append(append(lines, step.before...), step.commands...), dashes)
		lines = append(lines, step.answers...)
		if step.differs {
			lines = append(append(lines, warrenDashes), step.warren...)
		}
	}
	return strings.Join(append(lines, s.after...), "\n") + "\n"
}
