package config

import (
	"fmt"
	"strings"
)

// Problem is something that is wrong, or worth a warning, and where it stands.
type Problem struct {
	Place string // file:line, a variable of the environment, or a flag
	Text  string
}

// String says where it is and what.
func (p Problem) String() string { return p.Place + ": " + p.Text }

// Problems are all that is wrong with a configuration, in the order in which it was read.
type Problems struct {
	List []Problem // at most a hundred
	More int       // how many there are besides
}

// Error says each on a line of its own.
func (p *Problems) Error() string {
	lines := make([]string, 0, len(p.List)+1)
	for _, one := range p.List {
		lines = append(lines, one.String())
	}
	if p.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", p.More))
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(place, format string, args ...any) {
	if len(p.List) >= problemsMax {
		p.More++
		return
	}
	p.List = append(p.List, Problem{place, fmt.Sprintf(format, args...)})
}
