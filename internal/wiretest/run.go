package wiretest

import (
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// patience is how long an expected answer may take. RabbitMQ takes three seconds to hang
	// up on whoever fails to log in.
	patience = 10 * time.Second
	// silence is for how long nothing comes before a recording believes that all has come.
	silence = 300 * time.Millisecond
	// surprise is for how long it waits for the answer to a question.
	surprise = 1500 * time.Millisecond

	folder      = "testdata"
	firstPeer   = "c1"
	helperPeer  = ""
	channelUsed = 1 // unless a line says otherwise
)

//go:embed testdata/*.txt
var stories embed.FS

// Files returns the names of all stories.
func Files() (names []string) {
	entries, err := stories.ReadDir(folder)
	if err != nil {
		panic(err) // they are in the binary
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// Run replays a story of Files on the warren that listens at addr and fails the test at the
// first answer that differs from what warren is to give. Stories use the vhost "/" and the
// user guest, whose password is guest. They clean up what they declare by name; none may run
// beside another on the same broker.
func Run(t *testing.T, addr string, file string) {
	t.Helper()
	newRunner(t, addr, file).replay(true)
}

// RunReference is Run for the RabbitMQ that the answers come from.
func RunReference(t *testing.T, addr string, file string) {
	t.Helper()
	newRunner(t, addr, file).replay(false)
}

// Record plays a story on the RabbitMQ at addr and returns the file with the answers it gave.
// Steps that are marked as different for warren keep warren's answers.
func Record(t *testing.T, addr string, file string) string {
	t.Helper()
	r := newRunner(t, addr, file)
	defer func() {
		if t.Failed() {
			t.Log(r.story.String())
		}
	}()
	for _, s := range r.story.steps {
		r.play(s)
		s.answers = r.listen(s)
	}
	return r.story.String()
}

// runner plays one story.
type runner struct {
	t     *testing.T
	addr  string
	file  string
	line  int // of the command at work
	story *story
	peers map[string]*peer
	names *names
}

func newRunner(t *testing.T, addr string, file string) *runner {
	t.Helper()
	text, err := stories.ReadFile(path.Join(folder, file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseStory(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r := &runner{t: t, addr: addr, file: file, story: s, peers: make(map[string]*peer),
		names: newNames()}
	r.clean()
	t.Cleanup(func() {
		for _, p := range r.peers {
			if p.name != helperPeer {
				r.logout(p)
			}
		}
		r.clean()
		if p := r.peers[helperPeer]; p != nil {
			r.logout(p)
		}
	})
	return r
}

// fatal ends the test at the command at work.
func (r *runner) fatal(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s:%d: %s", path.Join(folder, r.file), r.line, fmt.Sprintf(format, args...))
}

func (r *runner) replay(warren bool) {
	r.t.Helper()
	for _, s := range r.story.steps {
		want := s.want(warren)
		r.play(s)
		if got := r.await(want); !slices.Equal(got, want) {
			r.line = s.line
			r.fatal("%s\ngot:\n%s\nwant:\n%s", strings.Join(s.commands, "\n"),
				strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// play carries out the commands of a step.
func (r *runner) play(s *step) {
	r.t.Helper()
	for i, line := range s.commands {
		r.line = s.line + i
		if err := r.command(r.names.unmask(line)); err != nil {
			r.fatal("%v", err)
		}
	}
}

// sorted returns the connections of the story by name.
func (r *runner) sorted() (peers []*peer) {
	for _, p := range r.peers {
		if p.name != helperPeer {
			peers = append(peers, p)
		}
	}
	slices.SortFunc(peers, func(a, b *peer) int { return strings.Compare(a.name, b.name) })
	return peers
}

// await reads on every connection as many answers as it is expected to give, and then what is
// there beyond that.
func (r *runner) await(want []string) (lines []string) {
	for _, p := range r.sorted() {
		count := 0
		for _, line := range want {
			if name, _, _ := splitAddress(line); name == p.name {
				count++
			}
		}
		p.readUntil(func() bool { return len(p.answers) >= count }, patience)
	}
	for _, p := range r.sorted() {
		p.settle()
		lines = append(lines, p.take()...)
	}
	return r.names.mask(lines)
}

// listen reads what has to come at least, and then whatever comes until it is quiet.
func (r *runner) listen(s *step) (lines []string) {
	for _, p := range r.sorted() {
		least := s.questions(p.name)
		p.readUntil(func() bool { return len(p.answers) >= least || p.refused() }, surprise)
	}
	never := func() bool { return false }
	for _, p := range r.sorted() {
		p.readUntil(never, silence)
	}
	for _, p := range r.sorted() {
		if len(p.answers) == 0 && s.sends(p.name) {
			p.readUntil(func() bool { return len(p.answers) > 0 }, surprise)
			p.readUntil(never, silence)
		}
	}
	for _, p := range r.sorted() {
		p.readUntil(never, time.Millisecond)
		lines = append(lines, p.take()...)
	}
	return r.names.mask(lines)
}

// WriteStory puts a recorded story in place of the one in the folder testdata of this
// package, which the working directory has to be.
func WriteStory(file, text string) error {
	return os.WriteFile(path.Join(folder, file), []byte(text), 0o644)
}
