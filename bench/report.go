package main

import (
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// report collects what was measured. Nothing in it is typed in by hand. Its exported fields are
// the JSON file.
type report struct {
	Settings settings          `json:"settings"`
	Machine  machine           `json:"machine"`
	Commit   string            `json:"commit"`
	Started  time.Time         `json:"started"`
	Ended    time.Time         `json:"ended"` // of the last round so far
	Versions map[string]string `json:"versions"`
	Peers    map[string]string `json:"peers"` // how each was started
	Values   []value           `json:"values"`
	Syncs    []finding         `json:"syncs"`
	Failures []failure         `json:"failures"`
	Notes    []string          `json:"notes"`
	Commands []command         `json:"commands"`

	work string
}

// value is one measurement.
type value struct {
	Case   string  `json:"case"`
	Peer   string  `json:"peer"`
	Metric metric  `json:"metric"`
	Round  int     `json:"round"`
	Value  float64 `json:"value"`
}

func value4(name, peer string, m metric, round int, v float64) value {
	return value{name, peer, m, round, v}
}

// failure is an attempt that came to nothing.
type failure struct {
	Case  string `json:"case"`
	Peer  string `json:"peer"`
	Round int    `json:"round"`
	Error string `json:"error"`
}

// command is one run of `warren perf`.
type command struct {
	Case   string          `json:"case"`
	Peer   string          `json:"peer"`
	Round  int             `json:"round"`
	Args   []string        `json:"args"`
	Load   string          `json:"load_average_before"`
	Result json.RawMessage `json:"result"`
}

func newReport(s settings, work string) *report {
	return &report{
		Settings: s, Machine: thisMachine(work), Commit: commitOf(s.Warren), Started: time.Now(),
		Versions: make(map[string]string), Peers: make(map[string]string), work: work,
	}
}

// progress says on the terminal what is happening.
func (r *report) progress(what string) {
	fmt.Printf("%s  %s  (load %s)\n", time.Now().Format(time.TimeOnly), what, loadAverage())
}

// started notes a broker's version, and how it was started the first time.
func (r *report) started(b *broker) {
	if _, known := r.Peers[b.peer.name]; known {
		return
	}
	r.Peers[b.peer.name], r.Versions[b.peer.name] = b.settings(), b.version
	if b.peer.name == warrenName { // which tells clients that it is RabbitMQ
		version, err := exec.Command(r.Settings.Warren, "--version").Output()
		if err == nil {
			r.Versions[warrenName] = strings.TrimSpace(string(version))
		}
	}
}

func (r *report) fail(round int, name, peer string, err error) {
	text := strings.Join(strings.Fields(err.Error()), " ")
	r.Failures = append(r.Failures, failure{name, peer, round, text})
	r.progress("failed: " + name + ", " + peer + ": " + text)
}

// note keeps a remark, once.
func (r *report) note(text string) {
	if !slices.Contains(r.Notes, text) {
		r.Notes = append(r.Notes, text)
	}
}

// failed is the error of a run in which warren itself failed.
func (r *report) failed() error {
	var errs []error
	for _, f := range r.Failures {
		if f.Peer == warrenName {
			errs = append(errs, fmt.Errorf("%s: %s", f.Case, f.Error))
		}
	}
	return errors.Join(errs...)
}

// spread sums up what one peer reached; nil is nothing.
func (r *report) spread(name, peer string, m metric) *spread {
	var values []float64
	for _, v := range r.Values {
		if v.Case == name && v.Peer == peer && v.Metric == m {
			values = append(values, v.Value)
		}
	}
	if len(values) == 0 {
		return nil
	}
	s := spreadOf(values)
	return &s
}

// ratio compares warren with another within each round; nil is nothing to compare.
func (r *report) ratio(name, other string, m metric) *spread {
	byRound := make(map[int][2]float64)
	for _, v := range r.Values {
		if v.Case != name || v.Metric != m {
			continue
		}
		pair := byRound[v.Round]
		switch v.Peer {
		case warrenName:
			pair[0] = v.Value
		case other:
			pair[1] = v.Value
		}
		byRound[v.Round] = pair
	}
	var ratios []float64
	for _, pair := range byRound {
		if pair[0] > 0 && pair[1] > 0 {
			ratios = append(ratios, pair[0]/pair[1])
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	s := spreadOf(ratios)
	return &s
}

// measured is what a goal is compared with; nil is nothing.
func (r *report) measured(name string, g goal) *spread {
	if g.against == "" {
		return r.spread(name, warrenName, g.metric)
	}
	return r.ratio(name, g.against, g.metric)
}

// busy lists the peers that stayed below their reference.
func (r *report) busy() (list []string) {
	for _, c := range cases(r.Settings) {
		for _, peer := range slices.Sorted(maps.Keys(c.reference)) {
			if share := r.share(c, peer); share > 0 && share < busyShare {
				list = append(list, fmt.Sprintf("%s in %s (%.2f)", peer, c.name, share))
			}
		}
	}
	return list
}

// share is how much of its reference a peer reached; 0 is unknown.
func (r *report) share(c benchCase, peer string) float64 {
	want := c.reference[peer]
	got := r.spread(c.name, peer, metricRate)
	if got == nil {
		got = r.spread(c.name, peer, metricFill)
	}
	if want == 0 || got == nil {
		return 0
	}
	return got.median / want
}

// write makes two files: the table, and everything that was measured.
func (r *report) write() error {
	r.Ended = time.Now()
	base := filepath.Join(r.Settings.Out, r.Started.Format(time.DateOnly)+"-"+r.Settings.Name)
	if err := os.MkdirAll(r.Settings.Out, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	raw = append([]byte(withoutHome(string(raw))), '\n')
	if err := os.WriteFile(base+".json", raw, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(base+".md", []byte(r.text()), 0o644); err != nil {
		return err
	}
	r.progress("written to " + base + ".md and .json")
	return nil
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
