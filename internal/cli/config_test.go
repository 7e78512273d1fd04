package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren"
)

func TestConfigurationFileTakesRabbitMQsKeys(t *testing.T) {
	text := `
# who listens where
listeners.tcp.default = 5673   # all addresses
default_user = alice
default_pass = secret
heartbeat = 30
handshake_timeout = 2500
max_message_size = 1048576
log_file_size = 8MiB
log.level = warn
`
	c, err := parseConfig("warren.conf", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := c.options(warren.Options{DefaultUser: "guest", DefaultPassword: "guest"})
	want := warren.Options{
		Listen: ":5673", DefaultUser: "alice", DefaultPassword: "secret",
		Heartbeat: 30 * time.Second, HandshakeTimeout: 2500 * time.Millisecond,
		MessageMax: 1 << 20, LogFileBytes: 8 << 20,
	}
	if got != want || c.logLevel != "warn" {
		t.Errorf("got %+v and level %q, want %+v", got, c.logLevel, want)
	}
}

func TestConfigurationMistakesNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"heartbeat = 60\nnonsense":     "f:2: \"nonsense\" is not of the form key = value",
		"heart_beat = 60":              "f:1: unknown key \"heart_beat\"",
		"\n\nheartbeat = soon":         "f:3: heartbeat: \"soon\" is not a number",
		"heartbeat = -1":               "f:1: heartbeat: \"-1\" is not a number",
		"max_message_size = 1" + zeros: "f:1: max_message_size: \"1" + zeros + "\" is not a number",
	} {
		if _, err := parseConfig("f", strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	long := "# " + strings.Repeat("x", configLineMax)
	if _, err := parseConfig("f", strings.NewReader(long)); err == nil {
		t.Error("a line above the limit was taken")
	}
}

const zeros = "0000000000000000000000000"

func FuzzConfiguration(f *testing.F) {
	f.Add("heartbeat = 60\n# comment\nlisteners.tcp.default = 127.0.0.1:5672")
	f.Fuzz(func(_ *testing.T, text string) {
		if c, err := parseConfig("f", strings.NewReader(text)); err == nil {
			_ = c.options(warren.Options{}).Validate()
		}
	})
}
