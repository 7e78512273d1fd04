package rabbitmqctl

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/protocol/control"
	"github.com/warrenmq/warren/internal/warrentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// conversation is a command with what it printed when it was recorded. NODE stands for the name
// of the node in all of it.
type conversation struct {
	line           string
	stdout, stderr []string
	code           int
}

// readTranscript reads conversations: "$ " begins a command, "  " a line of its output, "! " one
// of its errors, "= " its exit code if that is not 0.
func readTranscript(t *testing.T, path string) []conversation {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []conversation
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			list = append(list, conversation{line: command})
			continue
		}
		if len(line) < 2 || line[0] == '#' {
			continue
		}
		last := &list[len(list)-1]
		switch line[:2] {
		case "  ":
			last.stdout = append(last.stdout, line[2:])
		case "! ":
			last.stderr = append(last.stderr, line[2:])
		case "= ":
			if last.code, err = strconv.Atoi(line[2:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return list
}

// split takes a command apart as a shell does, quotes included.
func split(line string) []string {
	var words []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range line {
		switch {
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && r == ' ':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}

// on makes calls of the node that runs on a directory.
func on(t *testing.T, dir string) func(line string) (int, string, string) {
	t.Helper()
	name := ""
	return func(line string) (int, string, string) {
		words := split(strings.ReplaceAll(line, "NODE", name))
		var stdout, stderr bytes.Buffer
		code := Main(Call{
			Tool: words[0], Args: words[1:], Stdin: strings.NewReader(""),
			Stdout: &stdout, Stderr: &stderr, Version: "1.2.3", Compatible: "3.13.7",
			Connect: func(w Where) (*apiclient.Client, error) {
				client, err := apiclient.New(apiclient.Options{
					Dial: control.Dialer(dir), Timeout: w.Timeout,
				})
				if err == nil && name == "" {
					var status struct{ Name string }
					_ = client.Get(t.Context(), "/warren/status", &status) // else there is none
					name = status.Name
				}
				return client, err
			},
		})
		clean := func(b bytes.Buffer) string {
			if name == "" {
				return b.String()
			}
			return strings.ReplaceAll(b.String(), name, "NODE")
		}
		return code, clean(stdout), clean(stderr)
	}
}

// TestTheToolsSayWhatRabbitMQsSay plays transcripts of RabbitMQ's tools. The order of lists is
// not looked at: RabbitMQ's have none.
func TestTheToolsSayWhatRabbitMQsSay(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	t.Chdir("testdata")
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			call := on(t, warrentest.Start(t).DataDir())
			for _, c := range readTranscript(t, name) {
				code, stdout, stderr := call(c.line)
				if code != c.code || !sameLines(stdout, c.stdout) || !sameLines(stderr, c.stderr) {
					t.Errorf("$ %s\nexits with %d, want %d\n%s%swant\n%s\n%s", c.line, code, c.code,
						stdout, stderr, strings.Join(c.stdout, "\n"), strings.Join(c.stderr, "\n"))
				}
			}
		})
	}
}

// sameLines compares lines whatever their order.
func sameLines(got string, want []string) bool {
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	return slices.Equal(inOrder(lines), inOrder(want))
}

// inOrder sorts lines. Those of JSON lose the comma that separates them; empty ones are left out.
func inOrder(lines []string) []string {
	var list []string
	for _, line := range lines {
		if line = strings.TrimPrefix(strings.TrimRight(line, " "), ",{"); line != "" {
			list = append(list, strings.TrimPrefix(line, "{"))
		}
	}
	slices.Sort(list)
	return list
}

// TestVerbsAreDocumented: each verb has a line in usage.txt, and that a row in the page.
func TestVerbsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/rabbitmqctl.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	texts := usages()
	for _, v := range table() {
		names = append(names, v.name)
		u, ok := texts[v.name]
		if !ok {
			t.Errorf("usage.txt does not have %s", v.name)
			continue
		}
		row := fmt.Sprintf("| `%s` | %s | %s |", v.name, strings.Join(u.tools, ", "), u.meaning)
		if !strings.Contains(string(page), row) {
			t.Errorf("the page does not have the row\n%s", row)
		}
	}
	slices.Sort(names)
	if twice := len(names) - len(slices.Compact(slices.Clone(names))); twice > 0 {
		t.Errorf("%d verbs are there twice", twice)
	}
	listed, _ := order()
	for _, name := range listed {
		if !slices.Contains(names, name) {
			t.Errorf("usage.txt has %s, which is no verb", name)
		}
	}
}
