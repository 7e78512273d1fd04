package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Config is what all sources say together. It does not change.
type Config struct {
	table    *table
	set      map[string]Setting // by name
	warnings []Problem
	files    []string
}

// Setting is a key with its value.
type Setting struct {
	Name  string
	Text  string // the value as it was given
	Place string // who gave it: file:line, a variable, a flag, or "default"
	Key   *Key

	value value
}

// Shown is the value for people: that of a secret is hidden.
func (s Setting) Shown() string {
	if s.Key.Type.Secret {
		return "********"
	}
	return s.Text
}

// take judges one assignment after the other; the last one of a name wins.
func (c *Config) take(found []assignment, look lookup, problems *Problems) {
	for _, a := range found {
		if a.instead != "" {
			maps.DeleteFunc(c.set, func(name string, _ Setting) bool {
				return strings.HasPrefix(name, a.instead)
			})
		}
		row, at, name := c.table.find(a.key)
		if row == nil {
			c.unknown(a, problems)
			continue
		}
		text, err := a.value, error(nil)
		if !a.quoted {
			text, err = c.substitute(a.value, look)
		}
		if err == nil && strings.HasPrefix(text, "encrypted:") {
			err = fmt.Errorf("encrypted values are not supported: " +
				"have the value come from a file or the environment, $(<FILE) or $(NAME)")
		}
		var v value
		if err == nil {
			v, err = row.Type.parse(text)
		}
		if err != nil {
			problems.add(a.place, "%s: %v", name, err)
			continue
		}
		if row.Ignored != "" {
			c.warn(a.place, "%s has no effect: %s", name, row.Ignored)
		}
		v.at = at
		c.set[name] = Setting{name, text, a.place, row, v}
	}
}

// unknown says what is known of a key that is not in the table.
func (c *Config) unknown(a assignment, problems *Problems) {
	name := joinKey(a.key)
	if why, ok := c.table.findForeign(a.key); ok {
		c.warn(a.place, "%s has no effect: %s", name, why)
		return
	}
	if near := c.table.nearest(a.key); near != "" {
		problems.add(a.place, "unknown key %q; did you mean %s?", shorten(name), near)
		return
	}
	problems.add(a.place, "unknown key %q", shorten(name))
}

func (c *Config) warn(place, format string, args ...any) {
	c.warnings = append(c.warnings, Problem{place, fmt.Sprintf(format, args...)})
}

// Warnings are what an operator should know of a configuration that is otherwise right: keys
// without effect, for example.
func (c *Config) Warnings() []Problem { return c.warnings }

// Files are those that were read, in their order.
func (c *Config) Files() []string { return c.files }

// Given returns what the sources say, in the order of names.
func (c *Config) Given() []Setting {
	given := slices.Collect(maps.Values(c.set))
	slices.SortFunc(given, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return given
}

// Effective returns what the sources say, and the defaults of all other keys that have one.
func (c *Config) Effective() []Setting {
	all := append(c.Given(), c.defaults()...)
	slices.SortFunc(all, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// defaults are the settings of keys that nobody gave.
func (c *Config) defaults() (settings []Setting) {
	for i := range c.table.keys {
		row := &c.table.keys[i]
		if row.Default == "" || row.Ignored != "" || c.moot(row) {
			continue
		}
		v, err := row.Type.parse(row.Default)
		if err != nil {
			panic(fmt.Sprintf("config: the default of %s: %v", row.Name, err))
		}
		settings = append(settings, Setting{row.Name, row.Default, "default", row, v})
	}
	return settings
}

// moot reports whether the default of a row does not count.
func (c *Config) moot(row *Key) bool {
	_, given := c.set[row.Name]
	return given || row.unless != "" && c.given(row.unless)
}

// given reports whether a key was given whose name begins so.
func (c *Config) given(prefix string) bool {
	for name := range c.set {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
