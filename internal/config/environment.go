package config

import (
	"strings"
)

// variable is a variable of RabbitMQ's environment that stands for a key.
type variable struct {
	name, key string
}

// variables are those of RabbitMQ's that have a meaning here.
func variables() []variable {
	return []variable{
		{"RABBITMQ_DEFAULT_USER", "default_user"},
		{"RABBITMQ_DEFAULT_PASS", "default_pass"},
	}
}

// environment returns what variables say, RabbitMQ's first.
func (s *Sources) environment(c *Config) (found []assignment) {
	for _, v := range variables() {
		if text, ok := s.lookup(v.name); ok && text != "" {
			found = append(found, assignment{place: v.name, key: strings.Split(v.key, "."),
				value: text, quoted: true, instead: instead(v.key)})
		}
	}
	return found
}
