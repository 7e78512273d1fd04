package rabbitmqctl

import (
	"slices"
	"strconv"
	"strings"
)

// optionKind says what an option takes.
type optionKind uint8

const (
	noValue optionKind = iota
	textValue
	numberValue
	fractionValue
)

// option is one that a verb knows: by its name, and maybe by a letter.
type option struct {
	name, letter string
	kind         optionKind
}

func flag(name, letter string) option   { return option{name, letter, noValue} }
func text(name, letter string) option   { return option{name, letter, textValue} }
func number(name, letter string) option { return option{name, letter, numberValue} }

// generalOptions are those that every verb takes. Those of Erlang's are taken and mean nothing.
func generalOptions() []option {
	return []option{
		text("node", "n"), flag("longnames", "l"), flag("quiet", "q"), flag("silent", "s"),
		number("timeout", "t"), text("vhost", "p"), text("formatter", ""), text("printer", ""),
		flag("help", "?"), flag("dry-run", ""), flag("print-stacktrace", ""),
		flag("no-table-headers", ""), text("script-name", ""), text("erlang-cookie", ""),
		text("mnesia-dir", ""), text("plugins-dir", ""), text("enabled-plugins-file", ""),
		text("rabbitmq-home", ""), text("aliases-file", ""), text("data-dir", ""),
		text("data", ""), text("uri", ""),
	}
}

// options are those of a call, by name; a flag has the value "true".
type options map[string]string

func (o options) has(name string) bool {
	_, found := o[name]
	return found
}

func (o options) text(name string) string { return o[name] }

// number returns the value of an option that is known to be a number.
func (o options) number(name string) int64 {
	n, _ := strconv.ParseInt(o[name], 10, 64)
	return n
}

// given is an option as it was written.
type given struct{ name, value string }

// parseOptions takes arguments apart. Options may stand anywhere before a "--".
func parseOptions(args []string, known []option) (
	positional []string, found options, invalid []given,
) {
	found = options{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(positional, args[i+1:]...), found, invalid
		}
		if !isOption(arg) {
			positional = append(positional, arg)
			continue
		}
		name, value, inline := strings.Cut(arg, "=")
		o, ok := findOption(name, known)
		switch {
		case !ok:
			invalid = append(invalid, given{name, value})
		case o.kind == noValue:
			if inline && value != "true" {
				invalid = append(invalid, given{name, value})
				continue
			}
			found[o.name] = "true"
		default:
			if !inline {
				if i+1 == len(args) || isOption(args[i+1]) {
					invalid = append(invalid, given{name, ""})
					continue
				}
				i++
				value = args[i]
			}
			if !o.fits(value) {
				invalid = append(invalid, given{name, value})
				continue
			}
			found[o.name] = value
		}
	}
	return positional, found, invalid
}

// isOption tells options from arguments, negative numbers among them, and from "-".
func isOption(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' {
		return false
	}
	_, err := strconv.ParseFloat(arg, 64)
	return err != nil
}

func findOption(written string, known []option) (option, bool) {
	i := slices.IndexFunc(known, func(o option) bool {
		return written == "--"+o.name || o.letter != "" && written == "-"+o.letter
	})
	if i < 0 {
		return option{}, false
	}
	return known[i], true
}

func (o option) fits(value string) bool {
	switch o.kind {
	case numberValue:
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	case fractionValue:
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	}
	return true
}
