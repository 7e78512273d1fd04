package protocol

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTroubleThatComesOftenIsSaidSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&said, nil))
		var s seldom
		for range 100 {
			s.log(logger, slog.LevelError, "trouble")
		}
		if n := strings.Count(said.String(), "trouble"); n != 1 {
			t.Errorf("said %d times", n)
		}
		<-time.After(seldomPause)
		s.log(logger, slog.LevelError, "trouble")
		if !strings.Contains(said.String(), "lines_left_out=99") {
			t.Errorf("said %s", &said)
		}
	})
}
