package suites

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren/conformance/broker"
)

// The module whose tests run, the checksum of what it holds, and how many tests it has.
const (
	holeModule    = "github.com/michaelklishin/rabbit-hole/v3@v3.5.0"
	holeModuleSum = "h1:20tB41aYKz4PKoKAIawO7HwP0shkkxhCBuZps3v/47M="
	holeTestCount = 177
)

//go:embed rabbit-hole.txt
var expectedOfHole string

// What a test inside the network of its own finds: the folder with the suite's binary.
const holeFolder = "WARREN_HOLE_FOLDER"

// alone runs a program in a network that has only a loopback interface, where every port is free.
const alone = `ip link set lo up && exec "$0" "$@"`

// TestRabbitHoleSuitePasses runs the suite against a warren. The suite looks for a broker at
// RabbitMQ's own ports, so both run in a network of their own.
func TestRabbitHoleSuitePasses(t *testing.T) {
	t.Parallel()
	if on := os.Getenv("WARREN_SUITES_ON"); on != "" && on != "warren" {
		t.Skip("this suite starts its broker itself")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	broker.Need(t, canBeAlone(ctx))
	expected := expectations(t, expectedOfHole)
	folder := t.TempDir()
	warren, err := broker.WarrenBinary(ctx, folder)
	broker.Need(t, err)
	_, err = buildGoSuite(ctx, folder, holeModule, holeModuleSum, "")
	broker.Need(t, err)
	inside := exec.CommandContext(ctx, "unshare", "--map-root-user", "--net", "--", "sh", "-c",
		alone, os.Args[0], "-test.run=^TestRabbitHoleInside$", "-test.v")
	inside.Env = append(os.Environ(), holeFolder+"="+folder, "WARREN_BIN="+warren)
	if out, err := inside.CombinedOutput(); err != nil {
		t.Fatalf("run the suite: %v\n%s", err, out)
	}
	outcomes, err := readGinkgoReport(filepath.Join(folder, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	conclude(t, holeModule, expected, judge(outcomes, nil, expected))
	if len(outcomes) != holeTestCount {
		t.Errorf("%d tests were told of, and there are %d", len(outcomes), holeTestCount)
	}
}

// canBeAlone says what is missing for a network of one's own.
func canBeAlone(ctx context.Context) error {
	try := exec.CommandContext(ctx, "unshare", "--map-root-user", "--net", "--", "sh", "-c", alone,
		"true")
	if out, err := try.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: unshare and ip that may make a network: %w: %s",
			broker.ErrMissing, err, out)
	}
	return nil
}

// TestRabbitHoleInside is the part that runs in a network of its own: it starts a warren at
// RabbitMQ's ports, makes what the suite needs, and runs it.
func TestRabbitHoleInside(t *testing.T) {
	folder := os.Getenv(holeFolder)
	if folder == "" {
		t.Skip("it is part of TestRabbitHoleSuitePasses")
	}
	b, err := broker.StartWarren(t.Context(), os.Getenv("WARREN_BIN"),
		filepath.Join(folder, "data"), "--listen", "127.0.0.1:5672",
		"--management", "127.0.0.1:15672",
		"--set", "collect_statistics_interval=500")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop()
	const everything = `{"configure":".*","write":".*","read":".*"}`
	for _, request := range [][2]string{
		{"users/policymaker", `{"password":"policymaker","tags":"policymaker"}`},
		{"permissions/%2F/policymaker", everything},
		{"vhosts/rabbit%2Fhole", ""},
		{"permissions/rabbit%2Fhole/guest", everything},
		{"cluster-name", `{"name":"rabbitmq@localhost"}`},
	} {
		put(t, "http://127.0.0.1:15672/api/"+request[0], request[1])
	}
	suite := exec.CommandContext(t.Context(), filepath.Join(folder, "suite.test"),
		"-ginkgo.json-report="+filepath.Join(folder, "report.json"), "-ginkgo.no-color")
	suite.Dir = filepath.Join(folder, "module")
	suite.Env = append(os.Environ(), "GOMEGA_DEFAULT_EVENTUALLY_TIMEOUT=5s")
	out, _ := suite.CombinedOutput() // the report says what failed
	t.Logf("%s", out)
}

func put(t *testing.T, url, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("guest", "guest")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("PUT %s: %s", url, response.Status)
	}
}

// readGinkgoReport reads how each test ended.
func readGinkgoReport(path string) ([]outcome, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var reports []struct {
		SpecReports []struct {
			ContainerHierarchyTexts           []string
			LeafNodeText, LeafNodeType, State string
			CapturedGinkgoWriterOutput        string
			Failure                           struct{ Message string }
		}
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&reports); err != nil {
		return nil, fmt.Errorf("read the report of the suite: %w", err)
	}
	results := map[string]string{"passed": passed, "skipped": skipped, "pending": skipped}
	var outcomes []outcome
	for _, r := range reports {
		for _, s := range r.SpecReports {
			if s.LeafNodeType != "It" {
				continue
			}
			result, known := results[s.State]
			if !known {
				result = failed
			}
			name := strings.Join(append(s.ContainerHierarchyTexts, s.LeafNodeText), " ")
			outcomes = append(outcomes, outcome{name, result, s.Failure.Message})
		}
	}
	return outcomes, nil
}
