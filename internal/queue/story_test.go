package queue

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/warrenmq/warren/internal/message"
)

// The stories of testdata tell what a queue does:
//
//	new                                  start with an empty queue
//	configure [ttl=N] [expires=N] [max-length=N] [max-bytes=N] [delivery-limit=N]
//	    [consumer-timeout=N] [overflow=drop-head|reject|reject-dead] [dead=once|least]
//	    [max-priority=N] [single]        what is not named is not set
//	at TIME                              one Apply at that time, which is 1000 at first
//	clock TIME                           the same without an Apply
//	subscribe C... [prefetch=N] [no-ack] [exclusive] [gate=open|closed] [priority=N] [timeout=N]
//	cancel C...   resume C...
//	enqueue M...  [count=N] [size=N] [seq=N] [logged]   with count: M1 to MN; seq: numbers N on
//	    [expiration=TEXT] [priority=N] [ticket=N]
//	loaded M...   [seq=N] next=N [logged] [at=TIME] [expiration=TEXT] [priority=N]
//	                                     with the numbers they were enqueued with
//	load-failed N   spilled N   spill-failed N   retry
//	restore FIRST LAST COUNT BYTES       what the store has
//	resident-max N
//	ack M...      return M...   discard M...  [count=N] [of=C]
//	dead-done M...   dead-failed M...
//	get C         [no-ack]
//	purge         delete        touch
//	gate C open|closed                   without a word to the queue
//	batch                                the commands below it in one Apply
//
// A message is named by its body, which size fills up with dots. What comes out is what gates
// were asked, the effects, "more" where Apply said that there is more to do, and the totals.
// More than three effects of a kind that differ in the message alone are told as the first, the
// last and their number.
func TestQueuesDoWhatTheStoriesTell(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newStory()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd == "new" {
				s = newStory()
				return ""
			}
			return s.run(t, d)
		})
	})
}

type story struct {
	queue     Queue
	consumers map[string]*Consumer
	seqs      map[string]uint64 // of messages that were delivered
	numbers   map[string]uint64 // of messages that were enqueued with a number
	out       strings.Builder
	now       int64
}

func newStory() *story {
	return &story{
		consumers: make(map[string]*Consumer), seqs: make(map[string]uint64),
		numbers: make(map[string]uint64), now: 1000,
	}
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	s.out.Reset()
	var commands []Command
	switch d.Cmd {
	case "gate":
		s.consumers[d.CmdArgs[0].Key].Gate.(*storyGate).open = d.HasArg("open")
		return ""
	case "resident-max":
		s.queue.SetResidentMax(int(storyNumber(t, d, 0)))
		return ""
	case "configure":
		s.queue.Configure(storySettings(t, d))
		return ""
	case "clock":
		s.now = int64(storyNumber(t, d, 0))
		return ""
	case "at":
		s.now = int64(storyNumber(t, d, 0))
	case "restore":
		s.queue.Restore([]Extent{{
			First: storyNumber(t, d, 0), Last: storyNumber(t, d, 1),
			Count: int(storyNumber(t, d, 2)), Bytes: int64(storyNumber(t, d, 3)),
		}})
	case "batch":
		for line := range strings.Lines(d.Input) {
			cmd, args, err := datadriven.ParseLine(line)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			commands = s.commands(t, &datadriven.TestData{Pos: d.Pos, Cmd: cmd, CmdArgs: args},
				commands)
		}
	default:
		commands = s.commands(t, d, nil)
	}
	for more := true; more; commands = nil {
		var effects []Effect
		effects, more = s.queue.Apply(s.now, commands, nil)
		s.tell(effects)
		if more {
			s.out.WriteString("more\n")
		}
	}
	q := &s.queue
	fmt.Fprintf(&s.out, "ready=%d unacked=%d bytes=%d consumers=%d",
		q.Ready(), q.UnackedCount(), q.Bytes(), q.ConsumerCount())
	if q.paging.residentMax > 0 || len(q.out.ranges) > 0 {
		fmt.Fprintf(&s.out, " resident=%d", q.ResidentBytes())
	}
	s.out.WriteString("\n")
	checkBooks(t, q)
	return s.out.String()
}

// commands appends what one line asks for.
func (s *story) commands(t *testing.T, d *datadriven.TestData, to []Command) []Command {
	kinds := map[string]Kind{
		"enqueue": Enqueue, "ack": Ack, "return": Return, "discard": Discard, "get": Get,
		"subscribe": Subscribe, "cancel": Cancel, "resume": Resume,
		"purge": Purge, "delete": Delete, "loaded": LoadDone, "load-failed": LoadFailed,
		"spilled": Spilled, "spill-failed": SpillFailed, "retry": Retry, "touch": Touch,
		"dead-done": DeadDone, "dead-failed": DeadFailed,
	}
	if d.Cmd == "restore" || d.Cmd == "at" {
		return to
	}
	kind, ok := kinds[d.Cmd]
	if !ok {
		d.Fatalf(t, "no such command: %s", d.Cmd)
	}
	switch kind {
	case Purge, Delete, Retry, Touch:
		return append(to, Command{Kind: kind})
	case LoadFailed, Spilled, SpillFailed:
		return append(to, Command{Kind: kind, Seq: storyNumber(t, d, 0)})
	case LoadDone:
		l := &Loaded{From: s.queue.paging.loading.First, Messages: s.messages(t, d)}
		d.ScanArgs(t, "next", &l.Next)
		return append(to, Command{Kind: kind, Loaded: l})
	case Enqueue:
		for _, m := range s.messages(t, d) {
			to = append(to, Command{Kind: kind, Seq: m.Seq, Message: m.Message})
			d.MaybeScanArgs(t, "ticket", &to[len(to)-1].Ticket)
		}
		return to
	}
	names := storyNames(t, d)
	for _, name := range names {
		c := Command{Kind: kind}
		switch kind {
		case Ack, Return, Discard, DeadDone, DeadFailed:
			if of := ""; d.MaybeScanArgs(t, "of", &of) {
				c.Consumer = s.consumers[of]
			}
			if c.Seq, ok = s.seqs[name]; !ok {
				d.Fatalf(t, "%s was never delivered", name)
			}
		case Subscribe, Get:
			c.Consumer = s.consumer(t, d, name)
		default:
			if c.Consumer = s.consumers[name]; c.Consumer == nil {
				d.Fatalf(t, "no consumer %s", name)
			}
		}
		to = append(to, c)
	}
	return to
}

// messages returns the messages a line names.
func (s *story) messages(t *testing.T, d *datadriven.TestData) (messages []Numbered) {
	var size, seq int
	var at int64
	d.MaybeScanArgs(t, "size", &size)
	d.MaybeScanArgs(t, "at", &at)
	numbered := d.MaybeScanArgs(t, "seq", &seq)
	for i, name := range storyNames(t, d) {
		m := Numbered{Seq: s.numbers[name], At: at}
		m.Message = storyMessageWith(t, name, size, storyProperties(t, d))
		if numbered {
			m.Seq = uint64(seq + i)
			s.numbers[name] = m.Seq
		}
		if d.HasArg("logged") {
			m.Message.ID = m.Seq
		}
		messages = append(messages, m)
	}
	return messages
}

// storyNumber returns the number at place i of a line.
func storyNumber(t *testing.T, d *datadriven.TestData, i int) uint64 {
	n, err := strconv.ParseUint(d.CmdArgs[i].Key, 10, 64)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return n
}

// consumer returns the consumer of that name; the line that names it first describes it.
func (s *story) consumer(t *testing.T, d *datadriven.TestData, name string) *Consumer {
	if c := s.consumers[name]; c != nil {
		return c
	}
	c := &Consumer{Tag: name, NoAck: d.HasArg("no-ack"), Exclusive: d.HasArg("exclusive")}
	d.MaybeScanArgs(t, "prefetch", &c.Prefetch)
	d.MaybeScanArgs(t, "priority", &c.Priority)
	d.MaybeScanArgs(t, "timeout", &c.Timeout)
	if gate := ""; d.MaybeScanArgs(t, "gate", &gate) {
		c.Gate = &storyGate{story: s, name: name, open: gate == "open"}
	}
	s.consumers[name] = c
	return c
}

// storyNames returns the names a line begins with, or the numbered ones that count makes.
func storyNames(t *testing.T, d *datadriven.TestData) (names []string) {
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "no-ack", "exclusive", "logged", "single", "counts":
			continue
		}
		if len(arg.Vals) == 0 {
			names = append(names, arg.Key)
		}
	}
	count := 0
	if !d.MaybeScanArgs(t, "count", &count) {
		return names
	}
	prefix := names[0]
	names = nil
	for i := range count {
		names = append(names, prefix+strconv.Itoa(i+1))
	}
	return names
}

func storyMessage(t testing.TB, name string, size int) message.Message {
	return storyMessageWith(t, name, size, nil)
}

func storyMessageWith(t testing.TB, name string, size int, properties []byte) message.Message {
	body := name + strings.Repeat(".", max(0, size-len(name)))
	var arena message.Arena
	var b message.Builder
	if err := b.Begin(&arena, nil, nil, properties, uint64(len(body))); err != nil {
		t.Fatal(err)
	}
	b.Append([]byte(body))
	return b.Done()
}

func storyName(m *message.Message) string { return strings.TrimRight(string(m.Body()), ".") }

func (s *story) tell(effects []Effect) {
	const runMin = 4
	for len(effects) > 0 {
		first := s.format(&effects[0])
		n := 1
		for n < len(effects) && s.format(&effects[n]).likeness == first.likeness {
			n++
		}
		if n < runMin {
			n = 1
			fmt.Fprintln(&s.out, first)
		} else {
			last := s.format(&effects[n-1])
			fmt.Fprintf(&s.out, "%v\n… %d in all\n%v\n", first, n, last)
		}
		effects = effects[n:]
	}
}

// storyLine is an effect as text. Effects of one likeness differ in the message alone.
type storyLine struct{ likeness, rest string }

func (l storyLine) String() string { return strings.TrimSpace(l.likeness + l.rest) }

func (s *story) format(e *Effect) storyLine {
	name := storyName(&e.Message)
	switch e.Kind {
	case Deliver:
		likeness := "deliver to " + e.Consumer.Tag
		if e.Redelivered {
			likeness += " again"
		}
		if s.queue.Settings().CountsDeliveries {
			likeness += fmt.Sprintf(" after %d", e.DeliveryCount)
		}
		if !e.Consumer.NoAck {
			s.seqs[name] = e.Seq
		}
		return storyLine{likeness + ": ", fmt.Sprintf("%s, %d ready", name, e.Ready)}
	case Settled:
		return storyLine{"settled: ", storyRange(e)}
	case Load:
		return storyLine{"load: ", storyRange(e)}
	case Spill:
		if e.At() != 0 {
			return storyLine{"spill: ", fmt.Sprintf("%s, %d, came at %d", name, e.Seq, e.At())}
		}
		return storyLine{"spill: ", fmt.Sprintf("%s, %d", name, e.Seq)}
	case Dead:
		s.seqs[name] = e.Seq
		return storyDead(e, name)
	case RefusedPublish:
		return storyLine{"refused publish: ", fmt.Sprintf("%d, ticket %d", e.Seq, e.Ticket())}
	case Wake:
		return storyLine{"wake at ", strconv.FormatInt(e.At(), 10)}
	case TimedOut:
		return storyLine{"timed out ", e.Consumer.Tag}
	case Ended:
		return storyLine{"ended", ""}
	case Unavailable:
		return storyLine{"unavailable for ", e.Consumer.Tag}
	case Purged:
		return storyLine{"purged ", strconv.Itoa(e.Ready)}
	case Empty:
		return storyLine{"empty for ", e.Consumer.Tag}
	case Subscribed:
		return storyLine{"subscribed ", e.Consumer.Tag}
	case Refused:
		return storyLine{"refused ", e.Consumer.Tag}
	case Cancelled:
		return storyLine{"cancelled ", e.Consumer.Tag}
	case Unused:
		return storyLine{"unused", ""}
	}
	return storyLine{"unknown effect ", strconv.Itoa(int(e.Kind))}
}

func storyRange(e *Effect) string {
	if e.Seq == e.Last() {
		return strconv.FormatUint(e.Seq, 10)
	}
	return fmt.Sprintf("%d to %d", e.Seq, e.Last())
}

// storyGate tells when it is asked.
type storyGate struct {
	story *story
	name  string
	open  bool
}

func (g *storyGate) Admit(size int) bool {
	answer := "no"
	if g.open {
		answer = "yes"
	}
	fmt.Fprintf(&g.story.out, "gate of %s, %d bytes: %s\n", g.name, size, answer)
	return g.open
}
