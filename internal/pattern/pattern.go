// Package pattern is the regular expressions in which operators say which names something is
// about: of policies, permissions and topics.
//
// Floor 1, pure. They are those of package regexp, which take linear time whatever they match, and
// one thing of Perl's that RabbitMQ's users write every day: look-ahead at the beginning, as in
// ^(?!amq\.).* for all names that do not begin with "amq.". Each look-ahead is an expression of
// its own here, so that the time stays linear. Other look-around, and references back, are refused.
package pattern

import (
	"errors"
	"regexp"
	"strings"
)

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	rest  *regexp.Regexp // without what looks ahead
	ahead []ahead
}

// ahead is an expression that must match at the beginning, or must not.
type ahead struct {
	expression *regexp.Regexp
	negative   bool
}

// aheadMax bounds how many look-aheads a pattern may have.
const aheadMax = 16

// Why a look-ahead is refused.
var (
	errAlternatives = errors.New("look-ahead before alternatives (|): put these into (?: )")
	errManyAhead    = errors.New("more than 16 look-aheads")
)

// MustCompile is Compile of a pattern that is known to be one. It panics if it is none.
func MustCompile(text string) *Pattern {
	p, err := Compile(text)
	if err != nil {
		panic(err)
	}
	return p
}

// Compile reads a pattern. The error says what is wrong with it.
func Compile(text string) (*Pattern, error) {
	plain, err := regexp.Compile(text)
	if err == nil {
		return &Pattern{rest: plain}, nil
	}
	parts, rest, ok := cut(text)
	switch {
	case !ok:
		return nil, err // the expression's own trouble says it best
	case alternatives(rest):
		return nil, errAlternatives
	case len(parts) > aheadMax:
		return nil, errManyAhead
	}
	p := &Pattern{}
	if p.rest, err = regexp.Compile("^" + rest); err != nil {
		return nil, err
	}
	for _, part := range parts {
		a := ahead{negative: part[len("(?")] == '!'}
		inner := part[len("(?!") : len(part)-1]
		if a.expression, err = regexp.Compile("^(?:" + inner + ")"); err != nil {
			return nil, err
		}
		p.ahead = append(p.ahead, a)
	}
	return p, nil
}

// MatchString reports whether a name matches.
func (p *Pattern) MatchString(name string) bool {
	for i := range p.ahead {
		if p.ahead[i].expression.MatchString(name) == p.ahead[i].negative {
			return false
		}
	}
	return p.rest.MatchString(name)
}

// Match is MatchString of bytes.
func (p *Pattern) Match(name []byte) bool {
	for i := range p.ahead {
		if p.ahead[i].expression.Match(name) == p.ahead[i].negative {
			return false
		}
	}
	return p.rest.Match(name)
}

// cut takes the look-aheads off that follow ^ at the beginning.
func cut(text string) (parts []string, rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, "^")
	if !ok {
		return nil, "", false
	}
	for strings.HasPrefix(rest, "(?!") || strings.HasPrefix(rest, "(?=") {
		end := closing(rest)
		if end < 0 {
			return nil, "", false
		}
		parts, rest = append(parts, rest[:end+1]), rest[end+1:]
	}
	return parts, rest, len(parts) > 0
}

// closing returns where the group ends that text begins with; -1: nowhere.
func closing(text string) int {
	depth := 0
	end := -1
	scan(text, func(i int, c byte) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			end = i
		}
		return end < 0
	})
	return end
}

// alternatives reports whether text has a | outside of groups.
func alternatives(text string) (found bool) {
	depth := 0
	scan(text, func(_ int, c byte) bool {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			found = found || depth == 0
		}
		return !found
	})
	return found
}

// scan calls f for each byte of an expression that is neither escaped nor in a class of
// characters, until f reports false.
func scan(text string, f func(i int, c byte) bool) {
	class := -1 // where the class began
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case class >= 0:
			if c == ']' && i > class+1 && text[class+1:i] != "^" {
				class = -1
			}
		case c == '[':
			class = i
		case !f(i, c):
			return
		}
	}
}
