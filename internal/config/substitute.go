package config

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// lookup finds a variable of the environment.
type lookup func(name string) (string, bool)

// substitute replaces each $(NAME) by the variable of the environment, or by the key of that name
// which was set before. $(<FILE) is what the file says.
func (c *Config) substitute(text string, look lookup) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$(")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, ")")
		if !closed {
			return "", fmt.Errorf("$( is never closed; single quotes keep it as it is")
		}
		part, err := c.substituteOne(strings.TrimSpace(name), look)
		if err != nil {
			return "", err
		}
		if out.WriteString(part); out.Len() > secretFileMax {
			return "", fmt.Errorf("it is longer than %d bytes", secretFileMax)
		}
		text = after
	}
}

func (c *Config) substituteOne(name string, look lookup) (string, error) {
	if path, ok := strings.CutPrefix(name, "<"); ok {
		return fileText(strings.TrimSpace(path))
	}
	if found, ok := look(name); ok {
		return found, nil
	}
	if s, ok := c.set[name]; ok {
		return s.Text, nil
	}
	return "", fmt.Errorf("$(%s) is neither a variable of the environment nor a key set before",
		shorten(name))
}

// fileText is what a file says, without the end of its last line.
func fileText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, secretFileMax+1))
	if err != nil {
		return "", err
	}
	if len(b) > secretFileMax {
		return "", fmt.Errorf("%s is longer than %d bytes", path, secretFileMax)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}
