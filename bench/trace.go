package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/perf"
)

// Tracing slows a broker down, so it is a short run of its own that gives no other figures.
const (
	traceSeconds = 3
	traceAttach  = 10 * time.Second // how long strace may take to attach to all threads
	// tracedCalls put data on stable storage.
	tracedCalls = "fsync,fdatasync,syncfs,sync,sync_file_range,msync"
	// syncedMax is how many kinds of files a finding names; the rest is summed up.
	syncedMax = 6
)

// trace counts what a broker syncs, and notes on what files, and what it opened to be synced by
// each write.
func (a *attempt) trace(ctx context.Context, b *broker) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		a.note("strace is not installed: syncs were not counted")
		return nil
	}
	log := filepath.Join(a.dir, "strace")
	c := exec.CommandContext(ctx, strace, "-f", "-y", "-qq", "-e", "trace="+tracedCalls,
		"-e", "signal=none", "-o", log, "-p", strconv.Itoa(b.pid))
	if err := c.Start(); err != nil {
		return fmt.Errorf("strace: %w", err)
	}
	defer func() {
		_ = c.Process.Signal(syscall.SIGINT) // it lets the broker go
		_ = c.Wait()                         // it ends by the signal
	}()
	if err := awaitTracer(ctx, b.pid); err != nil {
		return err
	}
	line := strings.Replace(a.one.args[a.peer.name], "-u work", "-u traced", 1)
	result, err := perfOn[perf.Result](ctx, a, b, line+" -z "+strconv.Itoa(traceSeconds))
	if err != nil {
		return fmt.Errorf("traced: %w", err)
	}
	opened := openedForSync(b.pid, a.dir)
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	calls := syncCalls(string(text), a.dir)
	total := 0
	for _, n := range calls {
		total += n
	}
	perMessage := float64(total) / float64(max(1, result.Received))
	a.add(metricSyncs, perMessage)
	a.Syncs = append(a.Syncs, finding{
		Case: a.one.name, Peer: a.peer.name, Messages: result.Received, Calls: calls,
		OpenedForSync: opened,
	})
	return nil
}

// awaitTracer waits until a process is traced.
func awaitTracer(ctx context.Context, pid int) error {
	deadline := time.Now().Add(traceAttach)
	for procField(fmt.Sprintf("/proc/%d/status", pid), "TracerPid") == "0" {
		if time.Now().After(deadline) {
			return errors.New("strace does not attach")
		}
		if err := pause(ctx, probeEvery); err != nil {
			return err
		}
	}
	return pause(ctx, settleTime/3) // the other threads
}

// finding is what a broker synced in a traced run.
type finding struct {
	Case          string         `json:"case"`
	Peer          string         `json:"peer"`
	Messages      uint64         `json:"messages"`
	Calls         map[string]int `json:"calls"` // by call and kind of file
	OpenedForSync []string       `json:"opened_for_sync"`
}

// syncCalls counts calls by name and file; numbers in names of files are replaced by N, so that
// files of one kind count together. A call that is resumed in a later line counts once.
func syncCalls(log, dir string) map[string]int {
	call := regexp.MustCompile(`^\d+\s+([a-z_]+)\(([^)]*)`)
	file := regexp.MustCompile(`<([^>]*)>`)
	calls := make(map[string]int)
	for line := range strings.Lines(log) {
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		kind := m[1]
		if f := file.FindStringSubmatch(m[2]); f != nil {
			kind += " " + kindOf(f[1], dir)
		}
		calls[kind]++
	}
	return calls
}

// kindOf is a file's path below dir, with identifiers and numbers in it made equal.
func kindOf(path, dir string) string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")
	digits := regexp.MustCompile(`\d+`)
	path = regexp.MustCompile(`\w{14,}`).ReplaceAllStringFunc(path, func(word string) string {
		if digits.MatchString(word) {
			return "ID"
		}
		return word
	})
	return digits.ReplaceAllString(path, "N")
}

// openedForSync lists the kinds of files that a process has open with O_SYNC, O_DSYNC or
// O_DIRECT.
func openedForSync(pid int, dir string) []string {
	const flagDSync, flagSync = 0o10000, 0o4010000 // O_SYNC has the bit of O_DSYNC in it
	const flagDirect = 0o40000
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	kinds := make(map[string]struct{})
	for _, link := range links {
		path, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(path, dir) {
			continue
		}
		info := fmt.Sprintf("/proc/%d/fdinfo/%s", pid, filepath.Base(link))
		flags, _ := strconv.ParseInt(procField(info, "flags"), 8, 64)
		var names []string
		switch {
		case flags&flagSync == flagSync:
			names = append(names, "O_SYNC")
		case flags&flagDSync != 0:
			names = append(names, "O_DSYNC")
		}
		if flags&flagDirect != 0 {
			names = append(names, "O_DIRECT")
		}
		if len(names) > 0 {
			kinds[kindOf(path, dir)+" ("+strings.Join(names, ", ")+")"] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

// text is the finding in one line.
func (f finding) text() string {
	names := slices.SortedFunc(maps.Keys(f.Calls), func(a, b string) int {
		return f.Calls[b] - f.Calls[a]
	})
	var parts []string
	rest := 0
	for i, name := range names {
		if i >= syncedMax {
			rest += f.Calls[name]
			continue
		}
		parts = append(parts, fmt.Sprintf("%d × %s", f.Calls[name], name))
	}
	if rest > 0 {
		parts = append(parts, fmt.Sprintf("%d others", rest))
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing")
	}
	text := fmt.Sprintf("%s: %s, for %d messages", f.Peer, strings.Join(parts, "; "), f.Messages)
	if len(f.OpenedForSync) > 0 {
		text += "; open: " + strings.Join(f.OpenedForSync, ", ")
	}
	return text
}
