package config

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"
)

// levelNone is above every level: nothing is logged.
const levelNone = slog.Level(math.MaxInt16)

// level is a level of the log, by RabbitMQ's names or Go's.
func level() Type {
	levels := []struct {
		name  string
		level slog.Level
	}{
		{"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"notice", slog.LevelInfo},
		{"warning", slog.LevelWarn}, {"warn", slog.LevelWarn}, {"error", slog.LevelError},
		{"critical", slog.LevelError}, {"alert", slog.LevelError},
		{"emergency", slog.LevelError}, {"none", levelNone},
	}
	var names []string
	for _, l := range levels {
		names = append(names, l.name)
	}
	t := oneOf(names...)
	inner := t.parse
	t.Name = "debug, info, warning, error or none"
	t.parse = func(text string) (value, error) {
		v, err := inner(text)
		for _, l := range levels {
			if l.name == text {
				v.number = int64(l.level)
			}
		}
		return v, err
	}
	return t
}

// ParseLevel reads the name of a level of the log.
func ParseLevel(name string) (slog.Level, error) {
	v, err := level().parse(name)
	return slog.Level(v.number), err
}

func logKeys() []Key {
	keys := []Key{
		{Name: "log.level", Also: "log.default.level", Type: level(), Default: "info", Reload: true,
			Meaning: "the least level that is logged, where nothing else is said",
			set: func(s *Settings, v value) {
				s.Log.Console.Level, s.Log.File.Level = slog.Level(v.number), slog.Level(v.number)
			}},
		{Name: "log.console", Type: boolean(), Default: "true",
			Meaning: "whether there is a log on the console",
			set:     func(s *Settings, v value) { s.Log.Console.On = v.on }},
		{Name: "log.console.stdio", Type: oneOf("stderr", "stdout"), Default: "stderr",
			Meaning: "which part of it",
			set:     func(s *Settings, v value) { s.Log.Console.Stdout = v.text == "stdout" }},
		{Name: "log.dir", Type: anyText(),
			Meaning: "folder of log files; default log in the data directory",
			set:     func(s *Settings, v value) { s.Log.Dir = v.text }},
		{Name: "log.file", Type: anyText(), Default: "false",
			Meaning: "name of a log file, in log.dir or absolute; false is none",
			set: func(s *Settings, v value) {
				s.Log.Path = v.text
				if s.Log.File.On = v.text != "false"; !s.Log.File.On {
					s.Log.Path = ""
				}
			}},
		{Name: "log.file.rotation.size", Type: bytes(),
			Meaning: "bytes after which a new file begins; default whatever its size",
			set:     func(s *Settings, v value) { s.Log.Rotation.Size = v.number }},
		{Name: "log.file.rotation.date", Type: date(),
			Meaning: "when a new file begins: $D0 each midnight, $H30 each hour at half past, " +
				"$W1D0 each Monday, $M1D0 each first of a month; default never",
			set: func(s *Settings, v value) { s.Log.Rotation.Date, _ = parseDate(v.text) }},
		{Name: "log.file.rotation.count", Type: integer(0, 10_000), Default: "10",
			Meaning: "how many older files are kept",
			set:     func(s *Settings, v value) { s.Log.Rotation.Count = int(v.number) }},
	}
	for _, out := range []struct {
		name string
		of   func(*Settings) *Output
	}{
		{"console", func(s *Settings) *Output { return &s.Log.Console }},
		{"file", func(s *Settings) *Output { return &s.Log.File }},
	} {
		keys = append(keys,
			Key{Name: "log." + out.name + ".level", Type: level(), Reload: true,
				Meaning: "the least level that is logged there; default log.level",
				set:     func(s *Settings, v value) { out.of(s).Level = slog.Level(v.number) }},
			Key{Name: "log." + out.name + ".formatter", Type: oneOf("plaintext", "json"),
				Default: "plaintext", Meaning: "how a line is written",
				set: func(s *Settings, v value) { out.of(s).JSON = v.text == "json" }})
	}
	return keys
}

// Date says when a file of the log is put aside, in the local time; the zero value: never.
type Date struct {
	Every        byte // 'H', 'D', 'W' or 'M': each hour, day, week or month; 0: never
	Day          int  // of a week, 0 is Sunday, or of a month
	Hour, Minute int
}

// date is RabbitMQ's way to say when.
func date() Type {
	return Type{Name: "$D0, $H30, $W1D0, $M1D0", parse: func(text string) (value, error) {
		_, err := parseDate(text)
		return value{text: text}, err
	}}
}

// parseDate reads $ and parts of a letter and a number each: M and W the day, D the hour, H the
// minute. The widest part given says how often.
func parseDate(text string) (d Date, err error) {
	wrong := fmt.Errorf("%q is not a time such as $D0, $H30, $W1D0 or $M1D0", shorten(text))
	rest, ok := strings.CutPrefix(text, "$")
	if !ok || rest == "" {
		return Date{}, wrong
	}
	order := "MWDH"
	for rest != "" {
		i := strings.IndexByte(order, rest[0])
		if i < 0 {
			return Date{}, wrong
		}
		letter := order[i]
		order = order[i+1:]
		if letter == 'M' {
			order = strings.TrimPrefix(order, "W")
		}
		end := 1
		n := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' && end <= 2 {
			n = 10*n + int(rest[end]-'0')
			end++
		}
		first, last := map[byte]int{'M': 1}[letter], map[byte]int{'M': 31, 'W': 6, 'D': 23,
			'H': 59}[letter]
		if end == 1 || n < first || n > last {
			return Date{}, wrong
		}
		if d.Every == 0 {
			d.Every = letter
		}
		switch letter {
		case 'M', 'W':
			d.Day = n
		case 'D':
			d.Hour = n
		case 'H':
			d.Minute = n
		}
		rest = rest[end:]
	}
	return d, nil
}

// After returns the next such time after t, zero for never.
func (d Date) After(t time.Time) time.Time {
	year, month, day := t.Date()
	at := func(day, hour int) time.Time {
		return time.Date(year, month, day, hour, d.Minute, 0, 0, t.Location())
	}
	switch d.Every {
	case 'H':
		if next := at(day, t.Hour()); next.After(t) {
			return next
		}
		return at(day, t.Hour()+1)
	case 'D':
		if next := at(day, d.Hour); next.After(t) {
			return next
		}
		return at(day+1, d.Hour)
	case 'W':
		ahead := (d.Day - int(t.Weekday()) + daysOfWeek) % daysOfWeek
		if next := at(day+ahead, d.Hour); next.After(t) {
			return next
		}
		return at(day+ahead+daysOfWeek, d.Hour)
	case 'M':
		for ; ; month++ {
			// A month that has no such day is left out.
			if next := at(d.Day, d.Hour); next.Day() == d.Day && next.After(t) {
				return next
			}
		}
	}
	return time.Time{}
}

const daysOfWeek = 7
