package rabbitmqctl

import (
	_ "embed"
	"strings"
)

// usage is what help says of a verb.
type usage struct {
	// tools that know it, by their full names.
	tools []string
	// section of the overview, meaning in a few words, arguments as written after the name.
	section, meaning, arguments string
}

//go:embed usage.txt
var usageText string

// usages reads usage.txt: a line for each verb, in the order of the overview.
func usages() map[string]usage {
	list := make(map[string]usage)
	for line := range strings.Lines(usageText) {
		fields := strings.SplitN(strings.TrimRight(line, "\n"), "|", 5)
		if len(fields) < 5 || strings.HasPrefix(line, "#") {
			continue
		}
		list[fields[0]] = usage{
			tools: toolsOf(fields[1]), section: fields[2], meaning: fields[3],
			arguments: fields[4],
		}
	}
	return list
}

// toolsOf reads the letters of tools.
func toolsOf(letters string) []string {
	var list []string
	for i, tool := range Tools() {
		if strings.IndexByte(letters, "cdqpus"[i]) >= 0 {
			list = append(list, tool)
		}
	}
	return list
}

// order returns the names of all verbs and sections in the order of usage.txt.
func order() (names, sections []string) {
	for line := range strings.Lines(usageText) {
		fields := strings.SplitN(line, "|", 5)
		if len(fields) < 5 || strings.HasPrefix(line, "#") {
			continue
		}
		names = append(names, fields[0])
		if len(sections) == 0 || sections[len(sections)-1] != fields[2] {
			sections = append(sections, fields[2])
		}
	}
	return names, sections
}
