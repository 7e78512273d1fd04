package config

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Limits of what is read. A configuration is written by people; these are far beyond it.
const (
	lineBytesMax  = 64 << 10 // of one line
	linesMax      = 100_000  // of all files together
	filesMax      = 1000     // with those they include
	includeMax    = 10       // files that include one another
	problemsMax   = 100      // that are told; the rest is counted
	secretFileMax = 64 << 10 // bytes of a file that is the value of a key
)

// assignment is a line that sets a key: where it stands, and what it says. A quoted value is taken
// as it is, without substitution.
type assignment struct {
	place  string // file:line, or what else gave the value
	key    []string
	value  string
	quoted bool
	// instead is how the names begin that it takes the place of: a flag for where to listen, say,
	// is for all that files say of it.
	instead string
}

// reader reads files and what they include, and gathers assignments and problems.
type reader struct {
	found    []assignment
	problems *Problems
	warnings []Problem
	files    []string // all that were read, in order
	lines    int
}

// file reads one file. The error of a file that cannot be read is a problem at from, the place
// that names the file.
func (r *reader) file(path, from string, depth int) {
	if depth > includeMax {
		r.problems.add(from, "files include one another more than %d deep", includeMax)
		return
	}
	if len(r.files) >= filesMax {
		r.problems.add(from, "more than %d files", filesMax)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		r.problems.add(from, "%v", err)
		return
	}
	defer f.Close()
	r.files = append(r.files, path)
	r.text(path, f, depth)
}

// text reads what a file says; name is its name for people, and what it includes lies beside it.
func (r *reader) text(name string, in io.Reader, depth int) {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, lineBytesMax)
	number := 0
	for scan.Scan() {
		number++
		if r.lines++; r.lines > linesMax {
			r.problems.add(name, "more than %d lines", linesMax)
			return
		}
		line := scan.Text()
		if number == 1 {
			line = strings.TrimPrefix(line, "\uFEFF") // editors write it
		}
		r.line(name, fmt.Sprintf("%s:%d", name, number), line, depth)
	}
	if err := scan.Err(); err != nil {
		r.problems.add(fmt.Sprintf("%s:%d", name, number+1), "%v", err)
	}
}

// line reads one line.
func (r *reader) line(name, place, line string, depth int) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return
	}
	left, right, found := strings.Cut(line, "=")
	if word, pattern, _ := strings.Cut(line, " "); word == "include" &&
		!strings.HasPrefix(strings.TrimSpace(pattern), "=") {
		r.include(filepath.Dir(name), strings.TrimSpace(pattern), place, depth)
		return
	}
	if !found {
		r.problems.add(place, "%q is not of the form key = value", firstWord(line))
		return
	}
	key, err := splitKey(strings.TrimSpace(left))
	if err != nil {
		r.problems.add(place, "%v", err)
		return
	}
	value, quoted, err := readValue(right)
	if err != nil {
		r.problems.add(place, "%s: %v", joinKey(key), err)
		return
	}
	if i := strings.IndexByte(right, '#'); !quoted && i > 0 && right[i-1] != ' ' &&
		right[i-1] != '\t' {
		r.warnings = append(r.warnings, Problem{place, joinKey(key) +
			": what follows # is a comment; single quotes around the value keep it"})
	}
	r.found = append(r.found, assignment{place: place, key: key, value: value, quoted: quoted})
}

// include reads the files that pattern names, which may have stars, in the order of their names.
// As with RabbitMQ, none need be there.
func (r *reader) include(dir, pattern, place string, depth int) {
	pattern, _, _ = strings.Cut(pattern, "#")
	if pattern = strings.TrimSpace(pattern); !filepath.IsAbs(pattern) {
		pattern = filepath.Join(dir, pattern)
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		r.problems.add(place, "include %s: %v", pattern, err)
		return
	}
	sort.Strings(paths)
	for _, path := range paths {
		r.file(path, place, depth+1)
	}
}

// splitKey takes a key apart at its dots. A dot after a backslash belongs to a name.
func splitKey(key string) ([]string, error) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '\\' && i+1 < len(key) && key[i+1] == '.':
			part.WriteByte('.')
			i++
		case c == '.':
			parts = append(parts, part.String())
			part.Reset()
		case isKeyByte(c):
			part.WriteByte(c)
		default:
			return nil, fmt.Errorf("%q is not a key: it may have letters, digits, _, - and dots",
				firstWord(key))
		}
	}
	parts = append(parts, part.String())
	for _, p := range parts {
		if p == "" {
			return nil, fmt.Errorf("%q is not a key: a part of it is empty", firstWord(key))
		}
	}
	return parts, nil
}

func isKeyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '_' || c == '-'
}

// joinKey writes a key as a line has it.
func joinKey(parts []string) string {
	escaped := make([]string, len(parts))
	for i, p := range parts {
		escaped[i] = strings.ReplaceAll(p, ".", `\.`)
	}
	return strings.Join(escaped, ".")
}

// readValue takes what stands after the equals sign: up to a comment, or what is between single
// quotes.
func readValue(right string) (value string, quoted bool, err error) {
	right = strings.TrimSpace(right)
	if strings.HasPrefix(right, "'") {
		inner, rest, closed := strings.Cut(right[1:], "'")
		if rest = strings.TrimSpace(rest); !closed || rest != "" && rest[0] != '#' {
			return "", false, fmt.Errorf("a value that begins with ' has to end with one")
		}
		return inner, true, nil
	}
	value, _, _ = strings.Cut(right, "#")
	if value = strings.TrimSpace(value); value == "" {
		return "", false, fmt.Errorf("it has no value")
	}
	return value, false, nil
}

// firstWord is what a message quotes of a line: what follows it may be a secret.
func firstWord(line string) string {
	if end := strings.IndexAny(line, " \t:="); end > 0 {
		line = line[:end]
	}
	return shorten(line)
}

// shorten keeps what a message quotes small.
func shorten(s string) string {
	const shown = 60
	if len(s) <= shown {
		return s
	}
	return s[:shown] + "…"
}
