package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigShowTellsValuesAndWhereTheyAreFrom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.conf")
	text := "heartbeat = 7\ndefault_pass = hunter2\nnet_ticktime = 60\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, stderr := run("warren", "config", "show", "--config", file, "--log-level", "debug",
		"--set", "default_user = ann")
	if code != exitOK {
		t.Fatalf("it exits with %d: %s", code, stderr)
	}
	for _, want := range []string{"heartbeat", file + ":1", "--log-level", "********", "--set"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in\n%s", want, out)
		}
	}
	if !strings.Contains(stderr, "net_ticktime has no effect") {
		t.Errorf("no warning in %s", stderr)
	}
	_, json, _ := run("warren", "config", "show", "--config", file, "--effective", "--json")
	for _, want := range []string{`"frame_max"`, `"default"`, `"heartbeat"`} {
		if !strings.Contains(json, want) {
			t.Errorf("%s is not in\n%s", want, json)
		}
	}
	if strings.Contains(out+json+stderr, "hunter2") {
		t.Error("the password was told")
	}
}

func TestConfigCheckTellsAllMistakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("heart_beat = 1\nframe_max = many\n")
	code, _, stderr := run("warren", "config", "check", file)
	both := strings.Contains(stderr, ":1: ") && strings.Contains(stderr, ":2: ")
	if code != exitConfig || !both {
		t.Errorf("it exits with %d: %s", code, stderr)
	}
	write("net_ticktime = 60\n")
	if code, _, stderr = run("warren", "config", "check", file); code != exitOK {
		t.Errorf("it exits with %d: %s", code, stderr)
	}
	if code, _, _ = run("warren", "config", "check", "--strict", file); code != exitConfig {
		t.Errorf("strict: it exits with %d", code)
	}
}

func TestConfigKeysFindsByName(t *testing.T) {
	code, out, stderr := run("warren", "config", "keys", "heartbeat")
	if code != exitOK || !strings.Contains(out, "seconds") || strings.Contains(out, "frame_max") {
		t.Errorf("it exits with %d: %s%s", code, out, stderr)
	}
}
