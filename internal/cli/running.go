package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/config"
)

// signalsMax is how many signals wait at most; more of them say nothing new.
const signalsMax = 4

// running is a node that serves, and what it was started with.
type running struct {
	node    *warren.Node
	logs    *logs
	sources config.Sources

	mu            sync.Mutex // held while the configuration is read again
	configuration *config.Config
	// started is the configuration that the node was started with: what is otherwise now and no
	// running node takes, waits for the next start, however often it is read.
	started *config.Config
}

// errForced is the end of a node that was told twice to end.
var errForced = errors.New("ended at once, by a second signal")

// start begins to serve.
func (r *running) start(o warren.Options) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = r.configuration
	r.node, err = warren.Start(context.Background(), o)
	return err
}

// obey waits until the node ends. SIGHUP reads the configuration again; SIGTERM and SIGINT let the
// node end in order, a second one ends it at once. What is confirmed is on disk either way.
func (r *running) obey(signals <-chan os.Signal) error {
	ending := false
	notify("READY=1\nSTATUS=AMQP on " + r.node.Addr().String())
	for {
		select {
		case <-r.node.Done():
			return r.node.Err()
		case s := <-signals:
			switch {
			case s == syscall.SIGHUP:
				_, _ = r.reload() // it has logged what there is to say
			case ending:
				return errForced
			default:
				ending = true
				notify("STOPPING=1")
				r.logs.logger.Info("the node was asked to end", "signal", s.String())
				go r.end(s)
			}
		}
	}
}

// drainPatience bounds the time in which clients go elsewhere before the node ends; an end takes
// the time that is left of what service managers give.
const drainPatience = 60 * time.Second

// end ends the node: at SIGTERM, which service managers send, once its clients have gone.
func (r *running) end(s os.Signal) {
	if s == syscall.SIGTERM {
		ctx, cancel := context.WithTimeout(context.Background(), drainPatience)
		defer cancel()
		if err := r.node.Drain(ctx); err != nil {
			r.logs.logger.Warn("not all clients went by themselves", "error", err)
		}
	}
	_ = r.node.Close() // what went wrong, the node says when it is done
}

// errNotYet is the answer to those who ask a node for something before it serves.
var errNotYet = errors.New("the node is starting")

// reload reads the configuration again and does what can be done in a running node; it returns the
// keys that have to wait for the next start, since this reload or an earlier one. A mistake changes
// nothing, and is logged line by line.
func (r *running) reload() (waiting []string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	logger := r.logs.logger
	if r.node == nil {
		return nil, errNotYet
	}
	if err := r.logs.reopen(); err != nil {
		logger.Error("the file of the log cannot be opened again", "error", err)
	}
	fresh, err := config.Load(r.sources)
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			logger.Error("configuration not reloaded: " + strings.TrimSpace(line))
		}
		return nil, err
	}
	tellConfiguration(logger, fresh)
	applied := 0
	for _, change := range fresh.Changes(r.configuration) {
		if change.Reload {
			applied++
			logger.Info("configuration changed", "key", change.Name)
		}
	}
	for _, change := range fresh.Changes(r.started) {
		if !change.Reload {
			waiting = append(waiting, change.Name)
			logger.Warn("configuration changed, which takes effect at the next start",
				"key", change.Name)
		}
	}
	settings := fresh.Settings()
	if err := r.node.Reload(settings.Options); err != nil {
		logger.Error("configuration not reloaded", "error", err)
		return nil, err
	}
	r.logs.apply(&settings)
	logger.Info("configuration reloaded", "changed", applied, "waiting", len(waiting))
	r.configuration = fresh
	return waiting, nil
}

// hooks are what the node asks of the program.
func (r *running) hooks() warren.Hooks {
	return warren.Hooks{Reload: r.reload, SetLogLevel: r.logs.setLevel}
}
