package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	names "github.com/warrenmq/warren/internal/pattern"
)

// Type is what values of a key look like.
type Type struct {
	Name   string // in words, for people
	Secret bool   // never shown
	parse  func(text string) (value, error)
}

// value is what a text means; which field counts, the type says.
type value struct {
	at       []string // the words that stand for the parts of the name with $
	text     string
	number   int64   // of integers, bytes, ports; the nanoseconds of a duration
	part     float64 // of fractions
	on       bool    // of switches
	infinite bool    // the text is infinity
}

func (v value) duration() time.Duration { return time.Duration(v.number) }

// integer is a number from least to most.
func integer(least, most int64) Type {
	return Type{Name: integerName(least, most), parse: func(text string) (value, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			return value{}, fmt.Errorf("%q is not a number from %d to %d", shorten(text),
				least, most)
		}
		return value{text: text, number: n}, nil
	}}
}

func integerName(least, most int64) string {
	switch {
	case most >= math.MaxInt32 && least <= 0:
		return "number"
	case most >= math.MaxInt32:
		return fmt.Sprintf("number from %d", least)
	}
	return fmt.Sprintf("number %d to %d", least, most)
}

// orInfinity also takes the word infinity, which is no limit.
func orInfinity(t Type) Type {
	inner := t.parse
	t.Name += " or infinity"
	t.parse = func(text string) (value, error) {
		if text == "infinity" {
			return value{text: text, infinite: true}, nil
		}
		v, err := inner(text)
		if err != nil {
			err = fmt.Errorf("%w, nor infinity", err)
		}
		return v, err
	}
	return t
}

// timeOf is a number of units, such as milliseconds.
func timeOf(unit time.Duration, most int64) Type {
	t := integer(0, most)
	inner := t.parse
	t.Name = map[time.Duration]string{
		time.Second: "seconds", time.Millisecond: "milliseconds",
	}[unit]
	t.parse = func(text string) (value, error) {
		v, err := inner(text)
		v.number *= int64(unit)
		return v, err
	}
	return t
}

// span is a length of time with units, such as 1h30m or 2d; a bare number is milliseconds.
func span() Type {
	return Type{Name: "duration", parse: func(text string) (value, error) {
		if n, err := strconv.ParseInt(text, 10, 32); err == nil && n >= 0 {
			return value{text: text, number: n * int64(time.Millisecond)}, nil
		}
		days, rest, found := strings.Cut(text, "d")
		if !found {
			days, rest = "0", text
		}
		n, err := strconv.ParseUint(days, 10, 16)
		d := time.Duration(0)
		if err == nil && (rest != "" || !found) {
			d, err = time.ParseDuration(rest)
		}
		if err != nil || d < 0 {
			return value{}, fmt.Errorf("%q is not a length of time such as 90s or 1h30m",
				shorten(text))
		}
		return value{text: text, number: int64(d) + int64(n)*int64(24*time.Hour)}, nil
	}}
}

// boolean is true or false.
func boolean() Type {
	return Type{Name: "true or false", parse: func(text string) (value, error) {
		switch text {
		case "true", "on":
			return value{text: text, on: true}, nil
		case "false", "off":
			return value{text: text}, nil
		}
		return value{}, fmt.Errorf("%q is neither true nor false", shorten(text))
	}}
}

// oneOf is one of a few words.
func oneOf(words ...string) Type {
	name := strings.Join(words, ", ")
	return Type{Name: name, parse: func(text string) (value, error) {
		for _, w := range words {
			if text == w {
				return value{text: text}, nil
			}
		}
		hint := ""
		if near := nearest(text, words); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return value{}, fmt.Errorf("%q is none of %s%s", shorten(text), name, hint)
	}}
}

// anyText is what it says.
func anyText() Type {
	return Type{Name: "text", parse: func(text string) (value, error) {
		return value{text: text}, nil
	}}
}

// secret is a text that is never shown.
func secret() Type {
	return Type{Name: "text, a secret", Secret: true, parse: func(text string) (value, error) {
		return value{text: text}, nil
	}}
}

// pattern is a regular expression.
func pattern() Type {
	return Type{Name: "regular expression", parse: func(text string) (value, error) {
		if _, err := names.Compile(text); err != nil {
			return value{}, fmt.Errorf("%q is not a regular expression", shorten(text))
		}
		return value{text: text}, nil
	}}
}

// readable is a file that can be read, or a folder.
func readable() Type {
	return Type{Name: "path", parse: func(text string) (value, error) {
		f, err := os.Open(text)
		if err != nil {
			return value{}, err
		}
		return value{text: text}, f.Close()
	}}
}

// fraction is a part of the memory; zero is the least there is, not the default.
func fraction() Type {
	return Type{Name: "fraction", parse: func(text string) (value, error) {
		part, err := strconv.ParseFloat(text, 64)
		if err != nil || !(part >= 0 && part <= fractionMax) {
			return value{}, fmt.Errorf("%q is not a fraction such as 0.4", shorten(text))
		}
		return value{text: text, part: part}, nil
	}}
}

// fractionMax is more memory than a limit is ever set to.
const fractionMax = 1000

// bytes is a number of bytes with a unit, such as 50MB or 2GiB.
func bytes() Type {
	return Type{Name: "bytes, such as 50MB or 2GiB", parse: func(text string) (value, error) {
		end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(text)
		}
		n, err := strconv.ParseUint(text[:end], 10, 64)
		unit, known := units()[strings.ToLower(strings.TrimSpace(text[end:]))]
		if err != nil || !known || n > math.MaxInt64/unit {
			return value{}, fmt.Errorf("%q is not a number of bytes such as 50MB or 2GiB",
				shorten(text))
		}
		return value{text: text, number: int64(n * unit)}, nil
	}}
}

// units are RabbitMQ's names of powers of 1024 and of 1000.
func units() map[string]uint64 {
	return map[string]uint64{
		"": 1, "b": 1,
		"k": 1 << 10, "kib": 1 << 10, "ki": 1 << 10, "kb": 1e3,
		"m": 1 << 20, "mib": 1 << 20, "mi": 1 << 20, "mb": 1e6,
		"g": 1 << 30, "gib": 1 << 30, "gi": 1 << 30, "gb": 1e9,
		"t": 1 << 40, "tib": 1 << 40, "ti": 1 << 40, "tb": 1e12,
		"p": 1 << 50, "pib": 1 << 50, "pi": 1 << 50, "pb": 1e15,
	}
}

// address is where to listen: a port, for all addresses, or an address and a port. As RabbitMQ's,
// addresses of IPv6 need no brackets.
func address() Type {
	return Type{Name: "port, or address:port", parse: func(text string) (value, error) {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			return value{text: net.JoinHostPort("", strconv.FormatUint(n, 10))}, nil
		}
		if i := strings.LastIndexByte(text, ':'); i > 0 && net.ParseIP(text[:i]) != nil {
			text = net.JoinHostPort(text[:i], text[i+1:])
		}
		_, port, err := net.SplitHostPort(text)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return value{}, fmt.Errorf("%q is neither a port nor address:port", shorten(text))
		}
		return value{text: text}, nil
	}}
}

// addressOrOff also takes the word off.
func addressOrOff() Type {
	t := address()
	inner := t.parse
	t.Name += ", or off"
	t.parse = func(text string) (value, error) {
		if text == "off" || text == "none" || text == "" {
			return value{}, nil
		}
		return inner(text)
	}
	return t
}

// only takes one word and refuses all others; why says what may be done instead.
func only(word, why string) Type {
	return Type{Name: word, parse: func(text string) (value, error) {
		if text != word {
			return value{}, fmt.Errorf("%q is not supported: %s", shorten(text), why)
		}
		return value{text: text}, nil
	}}
}

// list is words with commas between them.
func list() Type {
	return Type{Name: "words, with commas between them", parse: func(text string) (value, error) {
		return value{text: text}, nil
	}}
}

// words are those of a list.
func (v value) words() (all []string) {
	for word := range strings.SplitSeq(v.text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// ip is an address without a port.
func ip() Type {
	return Type{Name: "IP address", parse: func(text string) (value, error) {
		if net.ParseIP(text) == nil {
			return value{}, fmt.Errorf("%q is not an IP address", shorten(text))
		}
		return value{text: text}, nil
	}}
}
