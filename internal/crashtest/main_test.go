package crashtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// built are the programs under test, built once for all tests of a run.
var built struct {
	mu    sync.Mutex
	dir   string
	paths map[string]string // by build tag
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(built.dir)
		os.Exit(code)
	}))
}

// warrenProgram returns the path of warren, built with a tag (or "").
func warrenProgram(t testing.TB, tag string) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	if path := built.paths[tag]; path != "" {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "warren-crashtest-")
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.paths = dir, make(map[string]string)
	}
	path := filepath.Join(built.dir, "warren"+tag)
	var out bytes.Buffer
	build := exec.Command("go", "build", "-tags", tag, "-o", path, "../../cmd/warren")
	build.Stdout, build.Stderr = &out, &out
	if err := build.Run(); err != nil {
		t.Fatalf("build warren: %v: %s", err, out.String())
	}
	built.paths[tag] = path
	return path
}

// number returns the value of an environment variable, or n.
func number(t testing.TB, name string, n uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return n
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// seedOf is the seed of a test's random choices. A run is not repeated exactly by it, as
// processes run at their own pace, but its choices are.
func seedOf(t testing.TB) uint64 {
	seed := number(t, "WARREN_CRASH_SEED", 1)
	t.Logf("the choices of this run: WARREN_CRASH_SEED=%d", seed)
	return seed
}

// needs leaves a test out for want of something, or fails where nothing may be missing.
func needs(t testing.TB, err error, what string) {
	t.Helper()
	if err == nil {
		return
	}
	if os.Getenv("WARREN_REQUIRE_ALL") == "1" {
		t.Fatalf("missing: %s: %v", what, err)
	}
	t.Skipf("missing: %s: %v", what, err)
}

// asRoot is an error unless the process may mount.
func asRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("not root")
	}
	return nil
}
