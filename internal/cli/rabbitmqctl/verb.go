package rabbitmqctl

import (
	"slices"
	"strings"
)

// state is that of the node which a verb needs.
type state uint8

const (
	running  state = iota // the application runs
	stopped               // it is stopped, the node is there
	either                // the node is there
	whatever              // the verb tells whether it is there
	nothing               // no node is asked
)

// verb is one thing that a tool can do.
type verb struct {
	name string
	// tools that know it; see usage.txt, which also has its section, arguments and meaning.
	usage
	// min and max are how many arguments it takes; max < 0 is any number.
	min, max int
	needs    state
	options  []option
	// format is how it prints when no option says it: "" is text.
	format string
	// columns are those of a list that may be asked for; nil: its arguments are no columns.
	columns []column
	// valid checks arguments further; nil does not.
	valid func(t *task) error
	// banner is what it says first; nil says nothing.
	banner func(t *task) string
	do     func(t *task) error
}

// table is all there is, in the order of help.
func table() []*verb {
	return slices.Concat(
		helpVerbs(), nodeVerbs(), clusterVerbs(), userVerbs(), permissionVerbs(), vhostVerbs(),
		queueVerbs(), topologyVerbs(), clientVerbs(), policyVerbs(), parameterVerbs(),
		limitVerbs(), settingVerbs(), definitionVerbs(), flagVerbs(), closeVerbs(),
		statusVerbs(), checkVerbs(), runtimeVerbs(), replicaVerbs(), pluginVerbs(),
		upgradeVerbs(), damageVerbs(), refusedVerbs(),
	)
}

// verbsOf returns the verbs of a tool.
func verbsOf(tool string) []*verb {
	texts := usages()
	var list []*verb
	for _, v := range table() {
		v.usage = texts[v.name]
		if slices.Contains(v.tools, tool) {
			list = append(list, v)
		}
	}
	return list
}

// check looks at the number of arguments, then at what they say.
func (v *verb) check(t *task) error {
	switch {
	case len(t.args) < v.min:
		return usageFailure("not enough arguments.")
	case v.max >= 0 && len(t.args) > v.max:
		return usageFailure("too many arguments.")
	}
	if v.columns != nil {
		if err := checkColumns(t); err != nil {
			return err
		}
	}
	if f := t.format(); !slices.Contains(formats(), f) {
		return usageFailure("formatter %q is none of %s", f, strings.Join(formats()[1:], ", "))
	}
	if v.valid != nil {
		return v.valid(t)
	}
	return nil
}

// saying makes a banner of a text in which %0 to %9 stand for arguments, %v for the vhost, %n for
// the node.
func saying(format string) func(*task) string {
	return func(t *task) string {
		var out strings.Builder
		for rest := format; rest != ""; {
			before, after, found := strings.Cut(rest, "%")
			out.WriteString(before)
			if !found {
				break
			}
			switch c := after[0]; {
			case c == 'v':
				out.WriteString(t.vhost())
			case c == 'n':
				out.WriteString(t.node.name)
			case int(c-'0') < len(t.args):
				out.WriteString(t.args[c-'0'])
			}
			rest = after[1:]
		}
		return out.String()
	}
}
