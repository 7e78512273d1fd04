package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
)

// TestRabbitMQAdminDoesTheSame runs RabbitMQ's own command line, as a RabbitMQ serves it, against
// both brokers.
func TestRabbitMQAdminDoesTheSame(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	python, err := exec.LookPath("python3")
	if err != nil {
		broker.Need(t, fmt.Errorf("%w: python3", broker.ErrMissing))
	}
	both := startPair(ctx, t)
	folder := t.TempDir()
	program := filepath.Join(folder, "rabbitmqadmin")
	served, err := ask(ctx, both.rabbitmq, "GET", "/cli/rabbitmqadmin", "")
	if err != nil || os.WriteFile(program, served.body, 0o600) != nil {
		t.Fatalf("rabbitmqadmin is not served: %v", err)
	}
	for i, line := range lines(t, "testdata/rabbitmqadmin.txt") {
		command, reason, differs := strings.Cut(line, " ## ")
		words := append([]string{python, program}, split(command)...)
		var ours, theirs string
		var running sync.WaitGroup
		running.Go(func() { ours = runAdmin(ctx, both.warren, folder, words) })
		running.Go(func() { theirs = runAdmin(ctx, both.rabbitmq, folder, words) })
		running.Wait()
		switch {
		case ours != theirs && !differs:
			t.Errorf("%d: rabbitmqadmin %s\n\twarren:\n%s\n\trabbitmq:\n%s", i, command, ours,
				theirs)
		case ours == theirs && differs:
			t.Errorf("rabbitmqadmin %s\n\tdoes the same now, and did not because: %s", command,
				reason)
		}
	}
}

// split cuts a command into words; single quotes hold together what has spaces.
func split(command string) (words []string) {
	for i, part := range strings.Split(command, "'") {
		if i%2 == 1 {
			words[len(words)-1] += part
			continue
		}
		if strings.HasPrefix(part, " ") || i == 0 {
			words = append(words, "")
		}
		for j, word := range strings.Fields(part) {
			if j > 0 {
				words = append(words, "")
			}
			words[len(words)-1] += word
		}
		if strings.HasSuffix(part, " ") && len(strings.Fields(part)) > 0 {
			words = append(words, "")
		}
	}
	return slices.DeleteFunc(words, func(word string) bool { return word == "" })
}

// The layout of tables depends on the longest value; the rest is what each broker makes up itself.
var (
	layout = regexp.MustCompile(`-{2,}| {2,}`)
	hashed = regexp.MustCompile(`~[\w-]{5,}`)
)

// runAdmin runs a command against a broker in a folder where it leaves and finds files, and returns
// how it ended and what it printed, in any order.
func runAdmin(ctx context.Context, b *broker.Broker, folder string, words []string) string {
	host, port, err := net.SplitHostPort(b.Management())
	if err != nil {
		return err.Error()
	}
	connect := []string{words[1], "-H", host, "-P", port}
	cmd := exec.CommandContext(ctx, words[0], append(connect, words[2:]...)...)
	cmd.Dir = filepath.Join(folder, b.Name())
	if err := os.MkdirAll(cmd.Dir, 0o700); err != nil {
		return err.Error()
	}
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir)
	cmd.Stdin = strings.NewReader("from standard input")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err.Error()
	}
	printed := hashed.ReplaceAllString(string(out), "~HASH")
	printed = layout.ReplaceAllString(printed, " ")
	list := strings.Split(strings.TrimSpace(printed), "\n")
	slices.Sort(list)
	return fmt.Sprintf("exit %d\n%s", cmd.ProcessState.ExitCode(), strings.Join(list, "\n"))
}

// TestRabbitMQAdminClosesConnections finds a connection by its name and closes it, in both brokers.
func TestRabbitMQAdminClosesConnections(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	both := startPair(ctx, t)
	folder := t.TempDir()
	program := filepath.Join(folder, "rabbitmqadmin")
	served, err := ask(ctx, both.rabbitmq, "GET", "/cli/rabbitmqadmin", "")
	if err != nil || os.WriteFile(program, served.body, 0o600) != nil {
		t.Fatalf("rabbitmqadmin is not served: %v", err)
	}
	for _, b := range []*broker.Broker{both.warren, both.rabbitmq} {
		connection, err := amqp.Dial(b.URL(broker.DefaultVHost))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		ended := connection.NotifyClose(make(chan *amqp.Error, 1))
		list := []string{"python3", program, "-q", "-f", "bash", "list", "connections"}
		var names []string
		for len(names) == 0 && ctx.Err() == nil { // RabbitMQ lists it some seconds later
			for _, line := range strings.Split(runAdmin(ctx, b, folder, list), "\n")[1:] {
				if strings.Contains(line, " -> ") {
					names = append(names, line)
				}
			}
		}
		if len(names) != 1 {
			t.Fatalf("%s lists the connections %q", b.Name(), names)
		}
		closing := []string{"python3", program, "close", "connection", "name=" + names[0]}
		if got := runAdmin(ctx, b, folder, closing); got != "exit 0\nconnection closed" {
			t.Errorf("%s: close connection: %s", b.Name(), got)
		}
		select {
		case reason := <-ended:
			want := "CONNECTION_FORCED - Closed via management plugin"
			if reason == nil || reason.Code != 320 || reason.Reason != want {
				t.Errorf("%s: the connection ended with %v", b.Name(), reason)
			}
		case <-ctx.Done():
			t.Errorf("%s: the connection was not closed", b.Name())
		}
	}
}
