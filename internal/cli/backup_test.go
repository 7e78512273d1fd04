package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/warrentest"
)

func TestABackupOfARunningNodeIsRestored(t *testing.T) {
	s := newScript(t)
	s.want("queues declare orders")
	s.want("publish orders hello --property delivery_mode=2")
	file := filepath.Join(t.TempDir(), "node.backup")
	s.refused("backup "+file+" --rate -1", exitUsage, "--rate")
	s.want("backup "+file+" --rate 100", "is in "+file, "made by warren")
	s.want("publish orders later --property delivery_mode=2")
	code, stdout, stderr := run("warren", "backup", "--verify", file)
	if code != exitOK || !strings.Contains(stdout, "is complete") {
		t.Errorf("--verify exits with %d: %s%s", code, stdout, stderr)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 1 {
		t.Errorf("beside the backup there is something: %v", entries)
	}
	code, stdout, _ = s.run("backup", "-")
	if code != exitOK || !strings.Contains(stdout, "backup.json") {
		t.Errorf("- exits with %d and %d bytes", code, len(stdout))
	}
	restored := filepath.Join(t.TempDir(), "restored")
	code, stdout, stderr = run("warren", "restore", file, "--data", restored)
	if code != exitOK || !strings.Contains(stdout, "1 message in 1 queue.") {
		t.Fatalf("restore exits with %d: %s%s", code, stdout, stderr)
	}
	for _, c := range []struct {
		text string
		code int
		args []string
	}{
		{"is not empty", exitFailure, []string{file, "--data", restored}},
		{"a node runs on", exitData, []string{file, "--data", s.data, "--force"}},
		{"which data directory", exitUsage, []string{file}},
		{"no such file", exitFailure, []string{file + ".not", "--data", restored, "--force"}},
	} {
		code, _, stderr := run(append([]string{"warren", "restore"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.text) {
			t.Errorf("restore %v exits with %d and %q", c.args, code, stderr)
		}
	}
	copied := script{t, restored}
	warrentest.Start(t, func(o *warren.Options) { o.DataDir = restored })
	copied.want("get orders --ack-mode ack_requeue_false", "hello")
	if stdout := copied.want("get orders"); strings.Contains(stdout, "later") {
		t.Errorf("what came after the backup is in it: %s", stdout)
	}
}

func TestABackupLeavesTheDiskToTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		from := &paced{from: io.LimitReader(zeros{}, 10*miB), rate: miB, start: begin}
		n, err := io.Copy(io.Discard, from)
		if n != 10*miB || err != nil || time.Since(begin) != 10*time.Second {
			t.Errorf("%d bytes took %v, %v", n, time.Since(begin), err)
		}
		stop := make(chan struct{})
		close(stop)
		from = &paced{from: zeros{}, rate: 1, start: time.Now().Add(time.Hour), stop: stop}
		if _, err := from.Read(make([]byte, 10)); !errors.Is(err, context.Canceled) {
			t.Errorf("a reader that is stopped says %v", err)
		}
	})
}

// zeros are without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestADamagedBackupIsNotRestored(t *testing.T) {
	s := newScript(t)
	file := filepath.Join(t.TempDir(), "node.backup")
	s.want("backup " + file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(t.TempDir(), "restored")
	for text, damaged := range map[string][]byte{
		"not complete":           content[:len(content)/2],
		"is damaged":             []byte(strings.Replace(string(content), "guest", "guess", 1)),
		"no backup of warren":    []byte(strings.Repeat("something else", 1000)),
		"not complete: it is em": nil,
	} {
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"backup", "--verify", file}, {"restore", file, "--data", restored},
		} {
			code, _, stderr := run(append([]string{"warren"}, args...)...)
			if code == exitOK || !strings.Contains(stderr, text) {
				t.Errorf("%v exits with %d and %q, want %q", args, code, stderr, text)
			}
		}
		if _, err := os.Stat(restored); err == nil {
			t.Errorf("%s: something was written", text)
		}
	}
}
