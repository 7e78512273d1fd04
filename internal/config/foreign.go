package config

import (
	_ "embed"
	"strings"
)

// foreignNames are the keys that only RabbitMQ and its plugins have, in sections: a line in square
// brackets says why the names after it mean nothing here.
//
//go:embed foreign.txt
var foreignNames string

// foreignKey is a key of RabbitMQ's that means nothing here.
type foreignKey struct {
	name []string
	why  string
}

func foreignKeys() []foreignKey {
	var keys []foreignKey
	why := ""
	for line := range strings.Lines(foreignNames) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line[0] == '[':
			why = strings.Trim(line, "[]")
		default:
			keys = append(keys, foreignKey{strings.Split(line, "."), why})
		}
	}
	return keys
}
