package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// legend says what the tables hold.
const legend = `A cell is the median of the rounds (least..greatest). A ratio is warren's value to
the other's, formed within each round. CPU is the user and system time of the broker's processes,
per message consumed. Written are the bytes that the kernel counts as sent to storage
(write_bytes). Syncs were counted by strace in a short run of their own. MB is 1,000,000 bytes,
KiB 1,024.

`

// text is the report for people, in Markdown.
func (r *report) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, %s\n\n", r.Settings.Name, r.Started.Format("2006-01-02 15:04"))
	fmt.Fprintf(&b, "Written by `go run ./bench`: %d rounds, loads of %d s, %d idle connections,"+
		" in %s.\n", r.Settings.Runs, r.Settings.Seconds, r.Settings.Connections,
		r.Ended.Sub(r.Started).Round(time.Second))
	b.WriteString(legend)
	if r.Settings.Quick {
		b.WriteString("**A quick run: sizes are reduced, the figures are not to be quoted.**\n\n")
	}
	if busy := r.busy(); len(busy) > 0 {
		fmt.Fprintf(&b, "**Below %.1f of their reference, the machine was busy,"+
			" repeat the run:** %s.\n\n", busyShare, strings.Join(busy, "; "))
	}
	fmt.Fprintf(&b, "- machine: %s\n- commit: %s\n", r.Machine, r.Commit)
	for _, name := range slices.Sorted(maps.Keys(r.Versions)) {
		fmt.Fprintf(&b, "- %s: %s\n", name, r.Versions[name])
	}
	fmt.Fprintf(&b, "- load average at the start: %s; before each load: see the JSON file\n",
		r.Machine.Load)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	for _, c := range cases(r.Settings) {
		r.caseText(&b, c)
	}
	r.syncText(&b)
	r.failureText(&b)
	b.WriteString("\n## Settings of each peer\n\nAs installed, but for addresses and places.\n\n")
	for _, name := range slices.Sorted(maps.Keys(r.Peers)) {
		fmt.Fprintf(&b, "%s:\n\n```\n%s\n```\n\n", name, r.Peers[name])
	}
	b.WriteString("## Commands\n\nOf the first round.\n\n")
	for _, c := range r.Commands {
		if c.Round == 0 {
			fmt.Fprintf(&b, "- %s, %s: `warren %s`\n", c.Case, c.Peer, strings.Join(c.Args, " "))
		}
	}
	return b.String()
}

// caseText is the section of a case; of one that was not run, nothing.
func (r *report) caseText(b *strings.Builder, c benchCase) {
	var used []metric
	var rows []string
	for _, p := range peers(r.Settings) {
		any := false
		for _, m := range columns() {
			if r.spread(c.name, p.name, m) != nil {
				any = true
				if !slices.Contains(used, m) {
					used = append(used, m)
				}
			}
		}
		if any {
			rows = append(rows, p.name)
		}
	}
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s: %s\n\n", c.name, c.title)
	if c.note != "" {
		b.WriteString(c.note + "\n\n")
	}
	b.WriteString("| |")
	for _, m := range columns() {
		if slices.Contains(used, m) {
			fmt.Fprintf(b, " %s |", m)
		}
	}
	fmt.Fprintf(b, " reference |\n|---|%s\n", strings.Repeat("---|", len(used)+1))
	for _, peer := range rows {
		fmt.Fprintf(b, "| %s |", peer)
		for _, m := range columns() {
			if !slices.Contains(used, m) {
				continue
			}
			cell := "–"
			if s := r.spread(c.name, peer, m); s != nil {
				cell = s.significant()
			}
			fmt.Fprintf(b, " %s |", cell)
		}
		fmt.Fprintf(b, " %s |\n", r.referenceText(c, peer))
	}
	b.WriteString("\n")
	for _, g := range c.goals {
		if m := r.measured(c.name, g); m != nil {
			fmt.Fprintf(b, "- %s: %s\n", g.text(), g.verdict(*m))
		} else {
			fmt.Fprintf(b, "- %s: not measured\n", g.text())
		}
	}
}

// referenceText says how a peer stands to its reference.
func (r *report) referenceText(c benchCase, peer string) string {
	share := r.share(c, peer)
	switch {
	case share == 0:
		return "–"
	case share < busyShare:
		return fmt.Sprintf("**below reference: machine busy** (%.2f of %s)", share,
			number(c.reference[peer]))
	}
	return fmt.Sprintf("%.2f of %s", share, number(c.reference[peer]))
}

func (r *report) syncText(b *strings.Builder) {
	if len(r.Syncs) == 0 {
		return
	}
	b.WriteString("\n## What each broker syncs\n\nSeen by strace, in a run that it slows down;" +
		" N stands for numbers in names of files.\n\n")
	for _, f := range r.Syncs {
		fmt.Fprintf(b, "- %s, %s\n", f.Case, f.text())
	}
}

func (r *report) failureText(b *strings.Builder) {
	if len(r.Failures) == 0 {
		return
	}
	b.WriteString("\n## What failed\n\n")
	for _, f := range r.Failures {
		fmt.Fprintf(b, "- %s, %s, round %d: %s\n", f.Case, f.Peer, f.Round+1, f.Error)
	}
}
