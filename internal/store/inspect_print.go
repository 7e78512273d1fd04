package store

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/disk"
)

func (i *inspector) print(format string, args ...any) { fmt.Fprintf(i.out, format, args...) }

// roleOf says what a file of the directory is for; x is nil unless the index has it.
func (i *inspector) roleOf(name string) (what string, number uint32, x *file) {
	r, number, numbered := parseFileName(name)
	if x = i.files.byID[number]; x != nil && x.role != r {
		x = nil
	}
	switch {
	case numbered && x != nil && x.segment && r == roleLog:
		what = "log kept as segment"
	case numbered && x != nil:
		what = []string{"log", "segment", "spill"}[r]
	case numbered && r == roleSpill:
		what = "spill"
	case numbered:
		what = "prepared or left over"
	case name == definitionsName:
		what = "definitions"
	case name == manifestName:
		what = "manifest"
	case name == reserveName || name == mergeRoomName:
		what = "reserve"
	case name == lockName:
		what = "lock"
	case strings.HasSuffix(name, newSuffix):
		what = "interrupted rewrite"
	default:
		what = "not of the store"
	}
	return what, number, x
}

func (i *inspector) printFiles() {
	i.print("Files\nname\trole\tnumber\tsize\tused\tlive\tlive bytes\tdead\tother bytes\n")
	for _, name := range i.names {
		what, number, x := i.roleOf(name)
		digits := "-"
		if number != 0 {
			digits = fmt.Sprint(number)
		}
		i.print("%s\t%s\t%s\t%s", name, what, digits, i.sizeOf(name))
		if x == nil {
			i.print("\t-\t-\t-\t-\t-\n")
			continue
		}
		live, bytes := i.live(x)
		dead := max(0, i.known[number].entries-live)
		i.print("\t%d\t%d\t%d\t%d\t%d\n", x.size, live, bytes, dead, max(0, x.size-bytes))
	}
}

// sizeOf is for the eye: a socket, or a file that went meanwhile, has none.
func (i *inspector) sizeOf(name string) string {
	if what, _, _ := i.roleOf(name); what == "not of the store" {
		return "-"
	}
	f, err := i.options.FS.Open(i.path(name), disk.Read)
	if err != nil {
		return "-"
	}
	defer f.Close() // read only
	size, err := f.Size()
	if err != nil {
		return "-"
	}
	return fmt.Sprint(size)
}

func (i *inspector) printQueues() {
	i.print("\nQueues\nid\tmessages\tbytes\tnumbers\n")
	for _, id := range i.queueIDs() {
		live, bytes := i.queues[id].logged.Live()
		i.print("%d\t%d\t%d\t%s\n", id, live, bytes, i.ranges(id))
	}
}

// ranges are the numbers between which a queue has messages.
func (i *inspector) ranges(id QueueID) string {
	var runs []Range
	for e := range i.queues[id].logged.Extents() {
		first, ok := e.NextLive(e.First)
		if !ok {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].Last+1 == first {
			runs[n-1].Last = e.Last
			continue
		}
		runs = append(runs, Range{first, e.Last})
	}
	var out []string
	for _, r := range runs[:min(len(runs), rangesShown)] {
		out = append(out, fmt.Sprintf("%d-%d", r.First, r.Last))
	}
	if more := len(runs) - rangesShown; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, ", ")
}

func (i *inspector) printRest() {
	bytes := 0
	for _, r := range i.definitions.recovered {
		bytes += len(r)
	}
	i.print("\nDefinitions: %d records, %d bytes\n", len(i.definitions.recovered), bytes)
	i.print("Manifest: %d records, log files released up to number %d\n",
		len(i.manifest.recovered), i.released)
	i.print("\nQuarantined queues: %d\n", len(i.damaged))
	for _, id := range slices.Sorted(maps.Keys(i.damaged)) {
		who := fmt.Sprintf("queue %d", id)
		if id == AllQueues {
			who = "all durable queues"
		}
		i.print("%s: %s\n", who, i.damaged[id])
	}
	i.print("\nDamage and torn ends: %d\n", len(i.problems))
	for _, p := range i.problems {
		i.print("%s\n", p)
	}
}

// printRecords prints the records of one file, or of all in the index.
func (i *inspector) printRecords(to io.Writer, only string) error {
	files := i.files.sorted()
	if only != "" {
		r, number, ok := parseFileName(only)
		if !ok {
			return fmt.Errorf("store: %s is no file with messages", only)
		}
		if _, _, x := i.roleOf(only); x != nil {
			files = []*file{x}
		} else {
			files = []*file{{number: number, role: r, size: math.MaxInt64}}
		}
	}
	w := bufio.NewWriter(to)
	for _, x := range files {
		if x.missing {
			continue
		}
		fmt.Fprintf(w, "\nRecords of %s\n", fileName(x.role, x.number))
		err := i.walk(x, &walked{}, func(offset, size int64, r *record) error {
			_, err := fmt.Fprintf(w, "%d %s, %d bytes\n", offset, r, size)
			return err
		})
		if err != nil {
			return err
		}
	}
	return w.Flush()
}

// String is the record in words, without the message.
func (r *record) String() string {
	switch r.kind {
	case kindGroup:
		before := "none"
		if r.before != 0 {
			before = fmt.Sprintf("file %d offset %d", r.before.file(), r.before.offset())
		}
		return fmt.Sprintf("group, length %d, before it %s, of queues %v", r.length, before,
			r.queues)
	case kindPublish, kindCopy:
		var entries []string
		for k, q := range r.queues {
			entries = append(entries, fmt.Sprintf("queue %d number %d", q, r.numbers[k]))
		}
		name := []string{"publish", "copy"}[r.kind-kindPublish]
		return fmt.Sprintf("%s, %s, message %d bytes", name, strings.Join(entries, ", "),
			len(r.message))
	case kindSettle:
		var ranges []string
		for _, x := range r.ranges {
			ranges = append(ranges, fmt.Sprintf("%d-%d", x.First, x.Last))
		}
		return fmt.Sprintf("settle, queue %d numbers %s", r.queue, strings.Join(ranges, ", "))
	case kindDelete:
		return fmt.Sprintf("delete, queue %d", r.queue)
	case kindTruncate:
		return fmt.Sprintf("truncate, queue %d from number %d", r.queue, r.from)
	}
	return fmt.Sprintf("definition, %d bytes", len(r.message))
}
