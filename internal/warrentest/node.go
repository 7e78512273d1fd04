// Package warrentest gives a test its own broker: a real node in the test's process, on a free
// port, with its own data directory.
//
// It stands above everything and is imported by tests only.
package warrentest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/warrenmq/warren"
)

// Start runs a node that ends with the test. Options may be changed before it starts; its
// address is a free port on the loopback interface and its directory a temporary one unless
// they are set. What the node logs appears in the test's log.
func Start(t testing.TB, change ...func(*warren.Options)) *warren.Node {
	t.Helper()
	o := warren.Options{Listen: "127.0.0.1:0", Logger: Logger(t)}
	for _, f := range change {
		f(&o)
	}
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	node, err := warren.Start(context.Background(), o)
	if err != nil {
		t.Fatalf("start a node: %v", err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Errorf("close the node: %v", err)
		}
	})
	return node
}

// Logger returns a logger that writes to the log of t.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
