package config

import "github.com/warrenmq/warren"

// Keys is the table of all keys that have an effect here, in the order in which they are told.
// The caller may change what it gets.
func Keys() []Key {
	var keys []Key
	for _, s := range Sections() {
		keys = append(keys, s.Keys...)
	}
	return keys
}

// Section is a part of the table.
type Section struct {
	Title string
	Keys  []Key
}

// Sections are the parts of the table.
func Sections() []Section {
	return []Section{
		{"Where AMQP is served", listenKeys()},
		{"TLS", tlsKeys("ssl_options",
			func(s *Settings) *warren.TLS { return &s.Options.TLS })},
		{"Who may log in", accessKeys()},
		{"What is declared at the beginning", seedKeys()},
		{"Limits", limitKeys()},
		{"Memory, disk and data", resourceKeys()},
		{"The HTTP API", managementKeys()},
		{"Metrics", prometheusKeys()},
		{"Logs", logKeys()},
		{"Traces", tracingKeys()},
		{"Names", nameKeys()},
	}
}
