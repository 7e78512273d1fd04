package operator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

// patience bounds each test, for brokers that never answer.
const patience = 5 * time.Minute

func startRabbitMQ(ctx context.Context, t *testing.T) *broker.Broker {
	t.Helper()
	b, err := broker.StartRabbitMQ(ctx, t.TempDir(), []string{broker.DefaultVHost, "orders"},
		broker.ManagementPlugin)
	broker.Need(t, err)
	t.Cleanup(b.Stop)
	return b
}

// printed is what a program did.
type printed struct {
	code           int
	stdout, stderr string
}

func call(
	ctx context.Context, t *testing.T, folder string, input string, words ...string,
) printed {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = folder, bytes.NewBufferString(input), &out, &stderr
	cmd.Env = append(cmd.Environ(), "HOME="+folder, "XDG_CONFIG_HOME="+folder)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return printed{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// ask sends a request to the HTTP API and returns the body of a success.
func ask(ctx context.Context, t *testing.T, b *broker.Broker, method, path, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, "http://"+b.Management()+path,
		bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s: %s %s, %v", method, path, response.Status, answer, err)
	}
	return answer
}
