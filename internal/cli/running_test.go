//go:build unix

package cli

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/warrenmq/warren/internal/config"
)

// startRunning starts a node by a file, and returns it with what it logs and the signals it obeys.
func startRunning(
	t *testing.T, file string,
) (r *running, logged string, end func(os.Signal) error) {
	t.Helper()
	dir := t.TempDir()
	sources := config.Sources{Files: []string{file}, Flags: []config.Flag{
		{Flag: "--data", Key: "data_dir", Value: filepath.Join(dir, "data")},
		{Flag: "--listen", Key: "listeners.tcp.default", Value: "127.0.0.1:0"},
		{Flag: "--management", Key: "management.listen", Value: "off"},
		{Flag: "--metrics", Key: "prometheus.listen", Value: "off"},
	}}
	configuration, err := config.Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	settings := configuration.Settings()
	settings.Log.Console.On = false
	settings.Log.File.On, settings.Log.Path = true, filepath.Join(dir, "w.log")
	l, err := openLogs(&settings, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	settings.Options.Logger = l.logger
	r = &running{logs: l, sources: sources, configuration: configuration}
	if err := r.start(settings.Options); err != nil {
		t.Fatal(err)
	}
	signals := make(chan os.Signal, signalsMax)
	ended := make(chan error, 1)
	go func() { ended <- r.obey(signals) }()
	t.Cleanup(func() {
		_ = r.node.Close()
		_ = l.Close()
	})
	return r, settings.Log.Path, func(s os.Signal) error {
		signals <- s
		return <-ended
	}
}

func TestReloadTakesWhatARunningNodeCanTakeAndNamesTheRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log.level = info\nheartbeat = 60\n")
	r, logged, end := startRunning(t, file)
	read := func() string {
		t.Helper()
		b, err := os.ReadFile(logged)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	write("log.level = debug\nheartbeat = 30\nvm_memory_high_watermark.relative = 0.5\n")
	waiting, err := r.reload()
	if err != nil || !slices.Equal(waiting, []string{"heartbeat"}) {
		t.Errorf("it returned %v, %v", waiting, err)
	}
	for _, want := range []string{"key=log.level", "takes effect at the next start\" key=heartbeat",
		"key=vm_memory_high_watermark.relative", "changed=2 waiting=1"} {
		if got := read(); !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if !r.logs.logger.Enabled(context.Background(), slog.LevelDebug) {
		t.Error("the level of the log is as it was")
	}
	for range 2 { // it waits until the node is started again, however often that is asked
		if waiting, err := r.reload(); err != nil || !slices.Equal(waiting, []string{"heartbeat"}) {
			t.Errorf("asked again it returned %v, %v", waiting, err)
		}
	}
	if got := strings.Count(read(), "configuration changed\" key=log.level"); got != 1 {
		t.Errorf("a change that was made is told %d times", got)
	}
	write("log.level = debug\nheartbeat = 60\n")
	if waiting, err := r.reload(); err != nil || len(waiting) != 0 {
		t.Errorf("with the value of the start it returned %v, %v", waiting, err)
	}
	write("log.level = loud\n")
	if _, err := r.reload(); err == nil {
		t.Error("a mistake was taken")
	}
	if got := read(); !strings.Contains(got, "configuration not reloaded: "+file+":1") {
		t.Errorf("the mistake is not in\n%s", got)
	}
	if !r.logs.logger.Enabled(context.Background(), slog.LevelDebug) {
		t.Error("a mistake changed the level of the log")
	}
	if err := end(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

func TestSystemdIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	notify("nobody hears it")
	t.Setenv("NOTIFY_SOCKET", path)
	notify("READY=1")
	b := make([]byte, 100)
	n, err := socket.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("systemd was told %q, %v", b[:n], err)
	}
}
