package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/migrate"
)

// TestAMoveSaysWhatWasDone: no row says "yes" of what was not begun.
func TestAMoveSaysWhatWasDone(t *testing.T) {
	failure := errors.New("it failed")
	queues := []migrate.Queue{{VHost: "/", Name: "q", Source: 7}}
	for _, c := range []struct {
		stage  migrate.Stage
		failed error
		says   string
		asDone bool
	}{
		{migrate.Unchanged, failure, "Nothing is changed", false},
		{migrate.Partly, failure, "no message is moved", false},
		{migrate.Declared, failure, "the definitions are imported", true},
		{migrate.Finished, nil, "created or changed: 0", true},
	} {
		var out strings.Builder
		report := migrate.Report{Stage: c.stage, Queues: queues}
		printMigration(&out, report, false, c.failed)
		if !strings.Contains(out.String(), c.says) ||
			strings.Contains(out.String(), "as expected") != c.asDone {
			t.Errorf("%s prints\n%s", c.stage, out.String())
		}
	}
}

// TestMessagesLeftBehindAreDrift.
func TestMessagesLeftBehindAreDrift(t *testing.T) {
	var exit *exitError
	err := verdict(migrate.Report{Held: 3}, false)
	if !errors.As(err, &exit) || exit.code != exitDiffers ||
		!strings.Contains(err.Error(), "3 messages") {
		t.Errorf("the verdict is %v", err)
	}
	if err := verdict(migrate.Report{}, false); err != nil {
		t.Errorf("nothing is held: %v", err)
	}
}
