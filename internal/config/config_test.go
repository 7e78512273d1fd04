package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren"
)

// write makes a file in a folder of the test's and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load reads one file with this text, and nothing else.
func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	return Load(Sources{Files: []string{write(t, t.TempDir(), "f.conf", text)}})
}

// mustLoad is load for what has to be right.
func mustLoad(t *testing.T, text string) *Config {
	t.Helper()
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problems are the texts of what is wrong, without the folder in their places.
func problems(err error) (texts []string) {
	var all *Problems
	if !errors.As(err, &all) {
		return nil
	}
	for _, p := range all.List {
		texts = append(texts, filepath.Base(p.Place)+": "+p.Text)
	}
	return texts
}

func TestFileTakesRabbitMQsKeys(t *testing.T) {
	c := mustLoad(t, "\uFEFF"+`
# who listens where
listeners.tcp.default = 5673   # all addresses
default_user = alice
default_pass = 'se#cret $(HOME)' # quotes keep all of it
heartbeat = 30
handshake_timeout = 2500
max_message_size = 1048576
log_file_size = 8MiB
log.level = warn
`)
	got := c.Settings()
	want := mustLoad(t, "").Settings().Options
	want.Listen, want.LogFileBytes, want.MessageMax = ":5673", 8<<20, 1<<20
	want.DefaultUser, want.DefaultPassword = "alice", "se#cret $(HOME)"
	want.Heartbeat, want.HandshakeTimeout = 30*time.Second, 2500*time.Millisecond
	if !reflect.DeepEqual(got.Options, want) || got.Log.Console.Level != slog.LevelWarn {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestAllMistakesAreToldWithPlaceAndNearestKey(t *testing.T) {
	_, err := load(t, `heartbeat = 60
nonsense
heart_beat = 60

heartbeat = soon
heartbeat = -1
max_message_size = 10000000000000000000000000
vm_memory_high_watermark.relativ = 0.5
log.level = inf
default_pass = 'open
default_user =
völlig = 1
a..b = 1
qqqqqqqqqqqqqqqqqqqq.zzzzzzzzz = 1
default_pass = encrypted:abcdef
default_pass = $(NO_SUCH_VARIABLE_HERE)
heartbeat = $(
`)
	want := []string{
		`f.conf:2: "nonsense" is not of the form key = value`,
		`f.conf:10: default_pass: a value that begins with ' has to end with one`,
		`f.conf:11: default_user: it has no value`,
		`f.conf:12: "völlig" is not a key: it may have letters, digits, _, - and dots`,
		`f.conf:13: "a..b" is not a key: a part of it is empty`,
		`f.conf:3: unknown key "heart_beat"; did you mean heartbeat?`,
		`f.conf:5: heartbeat: "soon" is not a number from 0 to 65535`,
		`f.conf:6: heartbeat: "-1" is not a number from 0 to 65535`,
		`f.conf:7: max_message_size: "10000000000000000000000000" ` +
			`is not a number from 1 to 536870912`,
		`f.conf:8: unknown key "vm_memory_high_watermark.relativ"; ` +
			`did you mean vm_memory_high_watermark.relative?`,
		`f.conf:9: log.level: "inf" is none of debug, info, notice, warning, warn, error, ` +
			`critical, alert, emergency, none; did you mean info?`,
		`f.conf:14: unknown key "qqqqqqqqqqqqqqqqqqqq.zzzzzzzzz"`,
		`f.conf:15: default_pass: encrypted values are not supported: ` +
			`have the value come from a file or the environment, $(<FILE) or $(NAME)`,
		`f.conf:16: default_pass: $(NO_SUCH_VARIABLE_HERE) is neither a variable ` +
			`of the environment nor a key set before`,
		`f.conf:17: heartbeat: $( is never closed; single quotes keep it as it is`,
	}
	if got := problems(err); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMistakesNeverTellASecret(t *testing.T) {
	for _, line := range []string{
		"default_pass hunter2", "default_pass:hunter2", "default_pass hunter2 = x",
		"default_pass = 'hunter2", "default_pass = encrypted:hunter2",
		"default_pas = hunter2", "default_pass = $(hunter2",
	} {
		_, err := load(t, line)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestRabbitMQsOtherKeysAreTakenWithAWarning(t *testing.T) {
	c := mustLoad(t, `cluster_partition_handling = autoheal
cluster_formation.k8s.host = x
mqtt.listeners.tcp.default = 1883
vm_memory_high_watermark.relative = 0.5
vm_memory_high_watermark.absolute = 1GB
default_pass = a#b
`)
	var got []string
	for _, w := range c.Warnings() {
		got = append(got, filepath.Base(w.Place)+": "+w.Text)
	}
	want := []string{
		"f.conf:6: default_pass: what follows # is a comment; " +
			"single quotes around the value keep it",
		"f.conf:1: cluster_partition_handling has no effect: a node runs alone",
		"f.conf:2: cluster_formation.k8s.host has no effect: a node runs alone",
		"f.conf:3: mqtt.listeners.tcp.default has no effect: the protocol or plugin is not there",
		"f.conf:4: vm_memory_high_watermark.relative has no effect: " +
			"vm_memory_high_watermark.absolute is set",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := c.Settings().Options.MemoryHighWatermark; got != (warren.Amount{Bytes: 1e9}) {
		t.Errorf("the watermark is %+v", got)
	}
}

func TestLaterFilesEnvironmentAndFlagsWin(t *testing.T) {
	dir := t.TempDir()
	main := write(t, dir, "main.conf",
		"heartbeat = 1\nlisteners.tcp.default = 1\ninclude conf.d/*.conf\ndefault_pass = a")
	write(t, dir, "conf.d/20.conf", "heartbeat = 20\nhandshake_timeout = 20")
	write(t, dir, "conf.d/10.conf", "heartbeat = 10\ndefault_user = ten")
	write(t, dir, "conf.d/30.txt", "heartbeat = 30")
	secret := write(t, dir, "secret", "from a file\n")
	more := write(t, dir, "more/a.conf",
		"max_message_size = $(SIZE)00\ndefault_pass = $(<"+secret+")")
	sources := Sources{
		Files:   []string{main, filepath.Dir(more)},
		Environ: []string{"SIZE=7", "SIZE=8", "RABBITMQ_DEFAULT_USER=env"},
		Flags:   []Flag{{"--listen", "listeners.tcp.default", "127.0.0.1:0"}},
	}
	c, err := Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range c.Given() {
		got = append(got, fmt.Sprintf("%s = %s, %s", s.Name, s.Shown(), filepath.Base(s.Place)))
	}
	want := []string{
		"default_pass = ********, a.conf:2", "default_user = env, RABBITMQ_DEFAULT_USER",
		"handshake_timeout = 20, 20.conf:2", "heartbeat = 20, 20.conf:1",
		"listeners.tcp.default = 127.0.0.1:0, --listen", "max_message_size = 800, a.conf:1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := c.Settings().Options.DefaultPassword; got != "from a file" {
		t.Errorf("the password is %q", got)
	}
}

func TestLimitsOfWhatIsRead(t *testing.T) {
	dir := t.TempDir()
	loop := write(t, dir, "loop.conf", "include loop.conf")
	wide := write(t, dir, "wide.conf", "include many/*.conf")
	for i := range filesMax + 1 {
		write(t, dir, fmt.Sprintf("many/%d.conf", i), "")
	}
	for text, want := range map[string]string{
		"# " + strings.Repeat("x", lineBytesMax):          "token too long",
		strings.Repeat("\n", linesMax+1):                  "lines",
		"include " + loop:                                 "deep",
		"include " + wide:                                 "more than 1000 files",
		"include [":                                       "syntax error",
		strings.Repeat("nonsense = 1\n", problemsMax+7):   "and 7 more",
		"default_pass = $(<" + dir + "/none)":             "no such file",
		"a = 1\ndefault_pass = $(<" + dir + "/large)":     "longer than 65536 bytes",
		"default_pass = " + strings.Repeat("$(<l)", 1000): "no such file",
	} {
		write(t, dir, "large", strings.Repeat("x", secretFileMax+1))
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add("heartbeat = 60\n# comment\nlisteners.tcp.default = 127.0.0.1:5672")
	f.Add("listeners.tcp.default = $(A)\ndefault_pass = 'x' # y\na\\.b.c = 1")
	f.Fuzz(func(_ *testing.T, text string) {
		c := &Config{table: newTable(), set: map[string]Setting{}}
		r := &reader{problems: &Problems{}}
		r.text("f", strings.NewReader(text), includeMax)
		s := Sources{Environ: []string{"A=5672"}}
		c.take(r.found, s.lookup, r.problems)
		c.together(r.problems)
		_ = c.Settings().Options.Validate()
	})
}
