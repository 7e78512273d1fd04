package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// names are the columns of the table.
var names = []string{warrenName, rabbitName, relayName}

// report collects what was measured. Nothing in it is typed in by hand.
type report struct {
	settings settings
	machine  machine
	commit   string
	started  time.Time
	versions map[string]string
	// values holds by figure and name one value for each round; a start that is repeated within
	// a round adds its value to the round.
	values   map[figureID]map[string][]roundValue
	commands []command
}

type roundValue struct {
	round int
	value float64
}

// command is one run of `warren perf`, as kept beside the table.
type command struct {
	Name   string          `json:"name"`
	Args   []string        `json:"args"`
	Load   string          `json:"load_average_before"`
	Result json.RawMessage `json:"result"`
}

func newReport(s settings) *report {
	return &report{
		settings: s, machine: thisMachine(), commit: commitOf(s.warren), started: time.Now(),
		versions: make(map[string]string),
		values:   make(map[figureID]map[string][]roundValue),
	}
}

func (r *report) version(name, version string) { r.versions[name] = version }

func (r *report) add(f figureID, name string, round int, value float64) {
	if r.values[f] == nil {
		r.values[f] = make(map[string][]roundValue)
	}
	r.values[f][name] = append(r.values[f][name], roundValue{round, value})
}

func (r *report) command(name string, args []string, load string, result []byte) {
	r.commands = append(r.commands, command{name, args, load, slices.Clone(result)})
}

// spread sums up what one name reached in one figure; nil is nothing.
func (r *report) spread(f figureID, name string) *spread {
	var values []float64
	for _, v := range r.values[f][name] {
		values = append(values, v.value)
	}
	if len(values) == 0 {
		return nil
	}
	s := spreadOf(values)
	return &s
}

// ratio compares warren with another within each round.
func (r *report) ratio(f figureID, other string) *spread {
	mean := func(name string, round int) (sum float64) {
		count := 0
		for _, v := range r.values[f][name] {
			if v.round == round {
				sum += v.value
				count++
			}
		}
		return sum / float64(max(1, count))
	}
	var ratios []float64
	for round := range r.settings.runs {
		if own, its := mean(warrenName, round), mean(other, round); own > 0 && its > 0 {
			ratios = append(ratios, own/its)
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	s := spreadOf(ratios)
	return &s
}

// write makes two files: the table, and everything that was measured.
func (r *report) write(dir string) error {
	base := filepath.Join(dir, r.started.Format("2006-01-02")+"-"+r.settings.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r.commands, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(base+".json", append(raw, '\n'), 0o644); err != nil {
		return err
	}
	text := r.text()
	if err := os.WriteFile(base+".md", []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Printf("%s\nwritten to %s.md and .json\n", text, base)
	return nil
}

func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n", r.settings.name, r.started.Format("2006-01-02 15:04"))
	fmt.Fprintf(&b, "Written by `go run ./bench`: %d rounds, loads of %d s, %d idle connections.\n",
		r.settings.runs, r.settings.seconds, r.settings.connections)
	fmt.Fprintf(&b, "A cell is the median of the rounds (least..greatest); a ratio is warren's"+
		" value to the\nother's, formed within each round.\n\n")
	fmt.Fprintf(&b, "- machine: %s\n- commit: %s\n", r.machine, r.commit)
	for _, name := range slices.Sorted(maps.Keys(r.versions)) {
		fmt.Fprintf(&b, "- %s\n", r.versions[name])
	}
	fmt.Fprintf(&b, "- load average at the start: %s; before each load: see the JSON file\n\n",
		r.machine.load)
	r.table(&b)
	b.WriteString("\n## Commands\n\nOf the first round; the relay is `go run ./bench relay`.\n\n")
	for _, c := range r.firstCommands() {
		fmt.Fprintf(&b, "- %s: `warren %s`\n", c.Name, strings.Join(c.Args, " "))
	}
	return b.String()
}

func (r *report) table(b *strings.Builder) {
	b.WriteString("| figure | unit | " + strings.Join(names, " | ") + " | ratio | target |\n")
	b.WriteString("|---|---|" + strings.Repeat("---|", len(names)+2) + "\n")
	for i, f := range figures {
		id := figureID(i)
		own := r.spread(id, warrenName)
		if own == nil {
			continue
		}
		fmt.Fprintf(b, "| %s | %s |", f.name, f.unit)
		for _, name := range names {
			cell := "–"
			if s := r.spread(id, name); s != nil {
				cell = s.text(f.digits)
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		against := f.against
		if against == "" {
			against = rabbitName
		}
		ratio, cell := r.ratio(id, against), "–"
		if ratio != nil {
			cell = ratio.ratio()
		}
		goal := f.target.text(f.unit, against)
		if reached, known := f.target.reached(*own, ratio); known && reached {
			goal += ": reached"
		} else if known {
			goal += ": **missed**"
		}
		fmt.Fprintf(b, " %s | %s |\n", cell, goal)
	}
}

// firstCommands are the commands up to the first repetition.
func (r *report) firstCommands() []command {
	count := (len(r.commands) + r.settings.runs - 1) / max(1, r.settings.runs)
	return r.commands[:min(count, len(r.commands))]
}

// commitOf names the commit that a binary was built from, as the Go tool notes it there unless
// told not to. Without the note, the commit of the tree is the next best.
func commitOf(binary string) string {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return unknown
	}
	commit := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += " with changes"
		}
	}
	if commit != "" {
		return commit
	}
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return unknown
	}
	return "of the tree when the rounds began: " + strings.TrimSpace(string(head))
}
