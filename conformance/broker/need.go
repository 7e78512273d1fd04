package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/warrenmq/warren/conformance/process"
)

// ErrMissing says that something must be installed first.
var ErrMissing = errors.New("missing")

// Need ends a test that lacks what must be installed: as a failure where everything is required
// (WARREN_REQUIRE_ALL=1), else as skipped. Any other error is a failure anyway.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrMissing) && os.Getenv("WARREN_REQUIRE_ALL") != "1":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// WarrenBinary returns the binary that WARREN_BIN names, or builds one into folder from the
// module above the working directory.
func WarrenBinary(ctx context.Context, folder string) (string, error) {
	if binary := os.Getenv("WARREN_BIN"); binary != "" {
		return filepath.Abs(binary)
	}
	root, err := sources()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(folder, "warren")
	build := exec.Command("go", "build", "-o", binary, "./cmd/warren")
	build.Dir = root
	_, err = process.Run(ctx, "go build ./cmd/warren", build)
	return binary, err
}

// sources finds warren's module in a parent of the working directory.
func sources() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "cmd", "warren")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", fmt.Errorf("%w: cmd/warren in a parent folder, or WARREN_BIN", ErrMissing)
		}
		folder = parent
	}
}
