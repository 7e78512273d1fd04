package config

import (
	"slices"
	"strings"
)

// Key is a row of the table: a name of a configuration file, and what it means. A part of the
// name that begins with $ stands for any word.
type Key struct {
	Name    string
	Also    string // another name of it, or ""
	Type    Type
	Default string // as a file would have it; "" when there is none, or Meaning says it
	Meaning string
	Reload  bool   // a running node takes a change, at SIGHUP
	Ignored string // why the key is taken and has no effect; "" for those that have one

	// unless is how the names begin that make the default moot when one of them is set.
	unless string
	// set puts a value where it takes effect.
	set func(s *Settings, v value)
}

// parts returns the name taken apart.
func (k *Key) parts() []string { return strings.Split(k.Name, ".") }

// match reports whether key is one that pattern stands for, and the words for its variable parts.
// A star at the end of a pattern stands for any words, one at least.
func match(pattern, key []string) (at []string, ok bool) {
	if last := len(pattern) - 1; pattern[last] == "*" && len(key) > last {
		pattern, key = pattern[:last], key[:last]
	}
	if len(pattern) != len(key) {
		return nil, false
	}
	for i, p := range pattern {
		switch {
		case strings.HasPrefix(p, "$"):
			at = append(at, key[i])
		case p != key[i]:
			return nil, false
		}
	}
	return at, true
}

// table finds keys by what a line says.
type table struct {
	keys    []Key
	foreign []foreignKey
}

func newTable() *table { return &table{keys: Keys(), foreign: foreignKeys()} }

// find returns the row for a key. The name is the one under which the key is kept, whichever of
// its names was used.
func (t *table) find(key []string) (row *Key, at []string, name string) {
	for i := range t.keys {
		row = &t.keys[i]
		if row.Also == joinKey(key) {
			return row, nil, row.Name
		}
		if at, ok := match(row.parts(), key); ok {
			return row, at, joinKey(key)
		}
	}
	return nil, nil, ""
}

// findForeign returns why a key that is only RabbitMQ's means nothing here.
func (t *table) findForeign(key []string) (why string, ok bool) {
	for _, f := range t.foreign {
		if _, ok := match(f.name, key); ok {
			return f.why, true
		}
	}
	return "", false
}

// nearest returns the known name that is the most like an unknown one, or "". Where a known name
// has a variable part, the unknown one's word stays.
func (t *table) nearest(key []string) string {
	var names []string
	add := func(pattern []string) {
		if len(pattern) == len(key) {
			pattern = slices.Clone(pattern)
			for i, p := range pattern {
				if strings.HasPrefix(p, "$") {
					pattern[i] = key[i]
				}
			}
		}
		names = append(names, joinKey(pattern))
	}
	for i := range t.keys {
		add(t.keys[i].parts())
	}
	if near := nearest(joinKey(key), names); near != "" {
		return near
	}
	for _, f := range t.foreign {
		if f.name[len(f.name)-1] != "*" {
			add(f.name)
		}
	}
	return nearest(joinKey(key), names)
}
