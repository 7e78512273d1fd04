package config

import (
	"os"
	"strings"
	"testing"
)

// TestEveryNameOfRabbitMQsIsKnown goes through the names of the keys of RabbitMQ 3.10 with its
// plugins, and of those that came up to 4.3.
func TestEveryNameOfRabbitMQsIsKnown(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	known, count := newTable(), 0
	for name := range strings.Lines(string(text)) {
		key := strings.Split(strings.TrimSpace(name), ".")
		for i, part := range key {
			key[i] = strings.TrimPrefix(part, "$")
		}
		row, _, _ := known.find(key)
		why, foreign := known.findForeign(key)
		if row == nil && !foreign {
			t.Errorf("%s is unknown", joinKey(key))
		}
		if row != nil && foreign {
			t.Errorf("%s has an effect, and none: %s", joinKey(key), why)
		}
		count++
	}
	if count < 800 {
		t.Errorf("only %d names", count)
	}
}

func TestTableHasNoRowTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if seen[k.Name] || seen[k.Also] {
			t.Errorf("%s is there twice", k.Name)
		}
		if k.Meaning == "" || k.Type.Name == "" || k.set == nil {
			t.Errorf("%s says nothing", k.Name)
		}
		seen[k.Name] = true
		if k.Also != "" {
			seen[k.Also] = true
		}
	}
}
