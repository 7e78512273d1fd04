package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

// transcripts of RabbitMQ's tools; warren's own tests play them, too.
const transcripts = "../internal/cli/rabbitmqctl/testdata"

// toolsPatience is how long a broker may take for all transcripts: each command of RabbitMQ's
// takes a second.
const toolsPatience = 20 * time.Minute

// TestToolsPrintWhatTheTranscriptsHave plays the transcripts on both brokers: output, errors and
// exit codes are those that are written there. What differs is left out of the transcripts and
// told in docs/rabbitmqctl.md.
func TestToolsPrintWhatTheTranscriptsHave(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), toolsPatience)
	defer cancel()
	binary, err := broker.WarrenBinary(ctx, t.TempDir())
	broker.Need(t, err)
	for _, file := range files {
		topic := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run("warren/"+topic, func(t *testing.T) {
			b, err := broker.StartWarren(ctx, binary, t.TempDir())
			broker.Need(t, err)
			defer b.Stop()
			playTranscript(ctx, t, b, file)
		})
		t.Run("rabbitmq/"+topic, func(t *testing.T) {
			b, err := broker.StartRabbitMQ(ctx, t.TempDir(), []string{"/"})
			broker.Need(t, err)
			defer b.Stop()
			playTranscript(ctx, t, b, file)
		})
	}
}

// nodeOf finds the name of a node in what ping says.
var nodeOf = regexp.MustCompile(`Will ping (\S+)\. This`)

func playTranscript(ctx context.Context, t *testing.T, b *broker.Broker, file string) {
	ping, err := b.Tool("rabbitmqctl", "ping").Output()
	found := nodeOf.FindSubmatch(ping)
	if err != nil || found == nil {
		t.Fatalf("ping says %s, %v", ping, err)
	}
	node := string(found[1])
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "\n$ ")[1:] {
		line, want, _ := strings.Cut(part, "\n")
		if ctx.Err() != nil {
			t.Fatal(ctx.Err())
		}
		// A shell takes the line apart.
		words, err := exec.Command("sh", "-c",
			"printf '%s\\0' "+strings.ReplaceAll(line, "NODE", node)).Output()
		if err != nil {
			t.Fatal(err)
		}
		args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
		cmd := b.Tool(args[0], args[1:]...)
		cmd.Dir = transcripts
		got := strings.ReplaceAll(transcript(t, cmd), node, "NODE")
		if !slices.Equal(sortedLines(got), sortedLines(want)) {
			t.Errorf("$ %s\n%swant\n%s", line, got, want)
		}
	}
}

// logged is a line that RabbitMQ's tools write to their log, which is the standard error.
var logged = regexp.MustCompile(`^! \d\d:\d\d:\d\d\.\d+ \[`)

// transcript runs a command and writes down what it did.
func transcript(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stdout, stderr, out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for line := range strings.Lines(stdout.String()) {
		out.WriteString("  " + strings.TrimSuffix(line, "\n") + "\n")
	}
	for line := range strings.Lines(stderr.String()) {
		if line = "! " + strings.TrimSuffix(line, "\n"); !logged.MatchString(line) {
			out.WriteString(line + "\n")
		}
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		fmt.Fprintf(&out, "= %d\n", code)
	}
	return out.String()
}

// sortedLines are the lines in an order of their own, since RabbitMQ's lists have none; the comma
// between objects of JSON goes with their place, and empty lines are left out. So is what warren
// is given to find its data.
func sortedLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		line = dataFlag.ReplaceAllString(strings.TrimRight(line, " \n"), "")
		line = strings.Replace(line, "  ,{", "  {", 1)
		if line != "" && line != "!" && line != " " {
			list = append(list, line)
		}
	}
	slices.Sort(list)
	return list
}

var dataFlag = regexp.MustCompile(`--data \S+ `)
