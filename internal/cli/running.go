package cli

import (
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/config"
)

// signalsMax is how many signals wait at most; more of them say nothing new.
const signalsMax = 4

// running is a node that serves, and what it was started with.
type running struct {
	node          *warren.Node
	logs          *logs
	sources       config.Sources
	configuration *config.Config
}

// errForced is the end of a node that was told twice to end.
var errForced = errors.New("ended at once, by a second signal")

// obey waits until the node ends. SIGHUP reads the configuration again; SIGTERM and SIGINT let the
// node end in order, a second one ends it at once. What is confirmed is on disk either way.
func (r *running) obey(signals <-chan os.Signal) error {
	ending := false
	for {
		select {
		case <-r.node.Done():
			return r.node.Err()
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				r.reload()
			case ending:
				return errForced
			default:
				ending = true
				r.logs.logger.Info("the node was asked to end", "signal", s.String())
				go r.node.Close()
			}
		}
	}
}

// reload reads the configuration again and does what can be done in a running node. A mistake in
// it changes nothing.
func (r *running) reload() {
	logger := r.logs.logger
	if err := r.logs.reopen(); err != nil {
		logger.Error("the file of the log cannot be opened again", "error", err)
	}
	fresh, err := config.Load(r.sources)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			logger.Error("configuration not reloaded: " + strings.TrimSpace(line))
		}
		return
	}
	tellConfiguration(logger, fresh)
	applied, waiting := 0, 0
	for _, change := range fresh.Changes(r.configuration) {
		if change.Reload {
			applied++
			logger.Info("configuration changed", "key", change.Name)
			continue
		}
		waiting++
		logger.Warn("configuration changed, which takes effect at the next start",
			"key", change.Name)
	}
	settings := fresh.Settings()
	r.logs.apply(&settings)
	if err := r.node.Reload(settings.Options); err != nil {
		logger.Error("configuration not reloaded", "error", err)
		return
	}
	logger.Info("configuration reloaded", "changed", applied, "waiting", waiting)
	r.configuration = fresh
}
