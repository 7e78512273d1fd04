package wiretest

import (
	"regexp"
	"strconv"
)

// What the names begin with that a broker makes.
const madePrefix = `(amq\.gen-|amq\.ctag-|amq\.rabbitmq\.reply-to\.)`

// names holds the names that the broker has made, which differ from run to run, and what the
// story calls them instead: amq.gen-1, amq.gen-2 and so on.
type names struct {
	made, masked *regexp.Regexp
	masks        map[string]string // by what the broker says
	originals    map[string]string // by what the story says
	counts       map[string]int    // by prefix
}

func newNames() *names {
	return &names{
		made:      regexp.MustCompile(madePrefix + `[A-Za-z0-9_/+=.-]{8,}`),
		masked:    regexp.MustCompile(madePrefix + `[0-9]{1,3}\b`),
		masks:     make(map[string]string),
		originals: make(map[string]string),
		counts:    make(map[string]int),
	}
}

// mask replaces names in answers by what the story calls them.
func (n *names) mask(lines []string) []string {
	for i, line := range lines {
		lines[i] = n.made.ReplaceAllStringFunc(line, func(name string) string {
			if n.masks[name] == "" {
				prefix := n.made.FindStringSubmatch(name)[1]
				n.counts[prefix]++
				mask := prefix + strconv.Itoa(n.counts[prefix])
				n.masks[name], n.originals[mask] = mask, name
			}
			return n.masks[name]
		})
	}
	return lines
}

// unmask replaces what the story calls them by names, in a command.
func (n *names) unmask(line string) string {
	return n.masked.ReplaceAllStringFunc(line, func(mask string) string {
		if name, ok := n.originals[mask]; ok {
			return name
		}
		return mask
	})
}
