package suites

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/warrenmq/warren/conformance/broker"
)

// The module whose tests run, and the checksum of what it holds: the suite is the published one.
const (
	goModule    = "github.com/rabbitmq/amqp091-go@v1.14.0"
	goModuleSum = "h1:RSaT7aOKt/OrkVUyswPDW29lnRz9psuGmfZFBmLqLek="
)

// patientMax is how many tests that are expected to fail run at once. Those that need what is not
// there wait for it, and cost nothing meanwhile.
const patientMax = 16

// blockingTest raises an alarm that blocks whoever publishes: it runs when the others have.
const blockingTest = "TestConnection_Close_WhenMemoryAlarmIsActive"

// runGoSuite runs the integration tests of amqp091-go. Those that may fail run each in a process
// of its own, for some of them wait long and some may panic, and all others in one. It returns
// what became of them, and the names of all tests there are.
func runGoSuite(
	ctx context.Context, b *broker.Broker, folder string, mayFail []string,
) ([]outcome, []string, error) {
	_, port, err := net.SplitHostPort(b.Management())
	if err != nil {
		return nil, nil, fmt.Errorf("the broker has no HTTP API: %w", err)
	}
	binary, err := buildGoSuite(ctx, folder, goModule, goModuleSum, "integration",
		`localhost:15672`, "127.0.0.1:"+port, `"15672"`, `"`+port+`"`)
	if err != nil {
		return nil, nil, err
	}
	control := filepath.Join(folder, "rabbitmqctl")
	if err := b.WriteControl(control); err != nil {
		return nil, nil, err
	}
	environment := append(os.Environ(), "AMQP_URL="+b.URL(broker.DefaultVHost),
		"RABBITMQ_RABBITMQCTL_PATH="+control)
	listing := exec.CommandContext(ctx, binary, "-test.list", ".")
	listing.Dir = folder
	names, err := listing.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("list the tests of %s: %w", goModule, err)
	}
	tests := testName.FindAllString(string(names), -1)

	var mu sync.Mutex
	var outcomes []outcome
	var running sync.WaitGroup
	free := make(chan struct{}, patientMax)
	run := func(flags ...string) {
		running.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			found := runGoTests(ctx, binary, folder, environment, flags)
			mu.Lock()
			defer mu.Unlock()
			outcomes = append(outcomes, found...)
		})
	}
	run("-test.skip", pattern(append(slices.Clone(mayFail), blockingTest)))
	for _, name := range mayFail {
		if slices.Contains(tests, name) {
			run("-test.run", pattern([]string{name}))
		}
	}
	running.Wait()
	run("-test.run", pattern([]string{blockingTest}))
	running.Wait()
	return outcomes, tests, ctx.Err()
}

// testName finds what runs in a list of names: the suite's own setup prints there too, and
// benchmarks are listed.
var testName = regexp.MustCompile(`(?m)^(Test|Example)\w*$`)

// pattern matches the tests of these names, and no others.
func pattern(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// buildGoSuite copies a module out of the cache, which is read-only, into folder, and builds its
// tests there. The module must have the checksum that is given. Of what follows, each text is
// replaced by the one after it: addresses that are fixed in the tests.
func buildGoSuite(
	ctx context.Context, folder, name, sum, tags string, replace ...string,
) (string, error) {
	var module struct{ Dir, Sum, Error string }
	download := exec.CommandContext(ctx, "go", "mod", "download", "-json", name)
	download.Dir = folder // no module's own list of versions matters
	out, err := download.Output()
	if decoded := json.Unmarshal(out, &module); decoded != nil {
		return "", fmt.Errorf("%w: %s: %w", broker.ErrMissing, name, err)
	}
	if module.Error != "" {
		return "", fmt.Errorf("%w: %s: %s", broker.ErrMissing, name, module.Error)
	}
	if module.Sum != sum {
		return "", fmt.Errorf("%s has the checksum %s, not %s", name, module.Sum, sum)
	}
	if err := os.CopyFS(filepath.Join(folder, "module"), os.DirFS(module.Dir)); err != nil {
		return "", fmt.Errorf("copy %s: %w", name, err)
	}
	if err := replaceIn(filepath.Join(folder, "module"), replace); err != nil {
		return "", fmt.Errorf("change the addresses in %s: %w", name, err)
	}
	binary := filepath.Join(folder, "suite.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-tags", tags, "-o", binary, ".")
	build.Dir = filepath.Join(folder, "module")
	// A workspace that this tree may stand in is none of the module's business.
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the tests of %s: %w\n%s", name, err, out)
	}
	return binary, nil
}

// replaceIn replaces texts in the Go files of a folder.
func replaceIn(folder string, replace []string) error {
	if len(replace) == 0 {
		return nil
	}
	replacer := strings.NewReplacer(replace...)
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed := replacer.Replace(string(content))
		if changed == string(content) {
			return nil
		}
		return os.WriteFile(path, []byte(changed), 0o600)
	})
}

// runGoTests runs a test binary and reads its events. A binary that ends without telling how its
// test ended, as by a panic, has failed it.
func runGoTests(
	ctx context.Context, binary, folder string, environment, flags []string,
) []outcome {
	line := append([]string{"tool", "test2json", binary, "-test.v=test2json"}, flags...)
	cmd := exec.CommandContext(ctx, "go", line...)
	cmd.Dir, cmd.Env = filepath.Join(folder, "module"), environment
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.Output()
	outcomes, rest := readGoEvents(out)
	if err != nil && !slices.ContainsFunc(outcomes, func(o outcome) bool {
		return o.result == failed
	}) {
		outcomes = append(outcomes, outcome{
			name: "the test binary", result: failed,
			output: fmt.Sprintf("%v\n%s\n%s", err, rest, errors.Bytes()),
		})
	}
	return outcomes
}

// readGoEvents reads what go tool test2json prints. It returns how each test ended, and what no
// test said.
func readGoEvents(events []byte) (outcomes []outcome, rest string) {
	said := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(events))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(lines.Bytes(), &event) != nil {
			continue // of no test
		}
		switch event.Action {
		case "output":
			said[event.Test] += event.Output
		case passed, failed, skipped:
			if event.Test != "" {
				outcomes = append(outcomes, outcome{event.Test, event.Action, said[event.Test]})
			}
		}
	}
	return outcomes, said[""]
}
