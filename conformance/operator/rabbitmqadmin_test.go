package operator

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/conformance/broker"
)

// TestWarrenAdminPrintsWhatRabbitMQAdminPrints calls both programs, one after the other, on one
// RabbitMQ: output, errors and exit codes are the same to the byte.
func TestWarrenAdminPrintsWhatRabbitMQAdminPrints(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	python, err := exec.LookPath("python3")
	if err != nil {
		broker.Need(t, fmt.Errorf("%w: python3", broker.ErrMissing))
	}
	rabbitmq := startRabbitMQ(ctx, t)
	binary, err := broker.WarrenBinary(ctx, t.TempDir())
	broker.Need(t, err)
	folder := t.TempDir()
	theirs := filepath.Join(folder, "theirs", "rabbitmqadmin")
	ours := filepath.Join(folder, "rabbitmqadmin") // the name makes the program
	if err := os.Symlink(binary, ours); err != nil {
		t.Fatal(err)
	}
	served := ask(ctx, t, rabbitmq, "GET", "/cli/rabbitmqadmin", "")
	if err := os.Mkdir(filepath.Dir(theirs), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, served, 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(rabbitmq.Management())
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("[default]\nport = %s\n[other]\nhostname = 127.0.0.1\nport = %s\n"+
		"vhost = orders\n", port, port)
	err = os.WriteFile(filepath.Join(folder, ".rabbitmqadmin.conf"), []byte(settings), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	calls, err := os.ReadFile("testdata/rabbitmqadmin.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(calls)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		before, command, prepared := strings.Cut(line, " => ")
		if !prepared {
			command = line
		}
		var got [2]printed
		for i, program := range [][]string{{python, theirs}, {ours}} {
			if prepared {
				call(ctx, t, folder, "", append([]string{python, theirs}, words(before)...)...)
			}
			got[i] = call(ctx, t, folder, "some input é\n", append(program, words(command)...)...)
		}
		if got[0] != got[1] {
			t.Errorf("rabbitmqadmin %s\nRabbitMQ's: %d\n%s%s\nwarren's: %d\n%s%s", command,
				got[0].code, got[0].stdout, got[0].stderr, got[1].code, got[1].stdout,
				got[1].stderr)
		}
	}
}

// words cuts a line; single quotes hold together what has spaces.
func words(line string) (list []string) {
	var word strings.Builder
	quoted, any := false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any || word.Len() > 0 {
				list = append(list, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(r)
		}
	}
	return list
}
