package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// contents are the files of a directory, by their names.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all[e.Name()] = ""
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

func TestInspectShowsADataDirectory(t *testing.T) {
	node := warrentest.Start(t)
	dir := node.DataDir()
	warrentest.Open(t, node.Addr()).Call(1,
		&amqp.QueueDeclare{Queue: "kept", Durable: true}, amqp.MethodQueueDeclareOk)
	const moving = "the picture is moving"
	code, running, stderr := run("warren", "inspect", dir)
	if code != exitOK || !strings.Contains(running, moving) {
		t.Errorf("beside a node: exit %d, %s%s", code, running, stderr)
	}
	if err := node.Close(); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	code, first, stderr := run("warren", "inspect", dir, "--records")
	_, second, _ := run("warren", "inspect", dir, "--records")
	if code != exitOK || first != second || strings.Contains(first, moving) {
		t.Errorf("exit %d, %s, then\n%s%s", code, first, second, stderr)
	}
	for _, line := range []string{`^definitions.log +definitions `,
		`^Definitions: [1-9]\d* records, [1-9]\d* bytes$`, `^Damage and torn ends: 0$`} {
		if !regexp.MustCompile("(?m)" + line).MatchString(first) {
			t.Errorf("no %s in\n%s", line, first)
		}
	}
	after := contents(t, dir)
	for name, content := range before {
		if after[name] != content || len(after) != len(before) {
			t.Errorf("%s changed, or one of %d files of %d", name, len(after), len(before))
		}
	}
}

func TestInspectRefusesWhatIsNotThere(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, exitUsage},
		{[]string{dir, "definitions.log"}, exitUsage},
		{[]string{dir, "--records", "none", "more"}, exitUsage},
		{[]string{dir, "--records", "none"}, exitFailure},
		{[]string{filepath.Join(dir, "none")}, exitFailure},
	} {
		args := append([]string{"warren", "inspect"}, c.args...)
		if code, _, stderr := run(args...); code != c.code || stderr == "" {
			t.Errorf("%v exits with %d: %s", c.args, code, stderr)
		}
	}
	if left := contents(t, dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}
