package rabbitmqctl

import (
	"cmp"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/warrenmq/warren/internal/apiclient"
)

// nodeVerbs start, stop and wait for the node and its application.
func nodeVerbs() []*verb {
	return []*verb{
		{name: "ping", needs: whatever, do: ping, banner: func(t *task) string {
			return "Will ping " + t.nodeName() + ". This only checks if the OS process is " +
				"running and registered with epmd. Timeout: " + t.pingTimeout() + " ms."
		}},
		command("stop_app", "Stopping rabbit application on node %n ...", "/warren/app/stop",
			either),
		command("start_app", "Starting node %n ...", "/warren/app/start", either),
		command("reset", "Resetting node %n ...", "/warren/reset", stopped),
		command("force_reset", "Forcefully resetting node %n ...", "/warren/reset", stopped),
		{name: "stop", max: 1, needs: either, options: []option{flag("idempotent", "")},
			banner: saying("Stopping and halting node %n ..."), do: stop},
		{name: "shutdown", needs: either, do: shutdown,
			options: []option{flag("wait", ""), flag("no-wait", "")}},
		{name: "await_startup", needs: whatever, do: awaitStartup},
		{name: "wait", max: 1, needs: whatever, options: []option{number("pid", "P")},
			do: waitForNode, valid: func(t *task) error {
				switch hasPID := t.options.has("pid"); {
				case len(t.args) == 0 && !hasPID:
					return usageFailure(`"No pid or pidfile specified"`)
				case len(t.args) > 0 && hasPID:
					return usageFailure(`"Cannot specify both pid and pidfile"`)
				}
				return nil
			}},
		{name: "force_boot", needs: nothing, do: func(t *task) error {
			return t.message("A node that is alone always boots: nothing to do")
		}},
		{name: "rotate_logs", needs: nothing, do: func(*task) error {
			return fail(exitUnavailable, "This command does not rotate logs anymore [deprecated]")
		}},
		{name: "hipe_compile", max: -1, needs: nothing, do: func(*task) error { return nil }},
	}
}

// command is a verb that asks for one path by POST.
func command(name, banner, path string, needs state) *verb {
	return &verb{
		name: name, needs: needs, banner: saying(banner),
		do: func(t *task) error { return t.client.Post(t.ctx, path, nil, nil) },
	}
}

// nodeName is the node's, or the one that was asked for.
func (t *task) nodeName() string {
	return cmp.Or(t.node.name, t.options.text("node"), "rabbit@localhost")
}

func (t *task) pingTimeout() string {
	return strconv.FormatInt(t.timeout(time.Minute).Milliseconds(), 10)
}

func ping(t *task) error {
	if err := t.meet(); err != nil {
		return fail(exitUnavailable, "Failed to connect and authenticate to %s in %s ms",
			t.nodeName(), t.pingTimeout())
	}
	return t.message("Ping succeeded")
}

func stop(t *task) error {
	return t.client.Post(t.ctx, "/warren/stop", nil, nil)
}

// pollEvery is the pause between two looks at the node.
const pollEvery = 100 * time.Millisecond

// poll looks until done says so; a timeout is an error of its own.
func (t *task) poll(patience time.Duration, done func() (bool, error)) error {
	end := time.Now().Add(patience)
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return errTimeout
		}
		if err := t.wait(pollEvery); err != nil {
			return err
		}
	}
}

var errTimeout = errors.New("timeout")

// timedOut is what the tools say of a verb that waited too long.
func (t *task) timedOut(patience time.Duration) error {
	return failBare(exitTemporary, "Error: operation %s on node %s timed out. "+
		"Timeout value used: %d", t.verb.name, t.nodeName(), patience.Milliseconds())
}

// shutdown stops the node and waits until nobody answers.
func shutdown(t *task) error {
	status, err := t.getObject("/warren/status")
	if err != nil {
		return err
	}
	pid := status.number("pid")
	if !t.quiet() {
		if err := t.message("Shutting down RabbitMQ node %s running at PID %d", t.node.name,
			pid); err != nil {
			return err
		}
	}
	if err := stop(t); err != nil || t.options.has("no-wait") {
		return err
	}
	if !t.quiet() {
		if err := t.message("Waiting for PID %d to terminate", pid); err != nil {
			return err
		}
	}
	patience := t.timeout(defaultPatience)
	err = t.poll(patience, func() (bool, error) {
		return apiclient.IsUnreachable(t.meet()) && !alive(pid), nil
	})
	if errors.Is(err, errTimeout) {
		return t.timedOut(patience)
	}
	if err != nil {
		return err
	}
	return t.message("RabbitMQ node %s running at PID %d successfully shut down", t.node.name, pid)
}

// alive reports whether a process of this machine runs, as far as that can be told.
func alive(pid int64) bool {
	if pid <= 0 {
		return false
	}
	process, err := os.FindProcess(int(pid))
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, syscall.EPERM)
}

// defaultPatience is how long verbs wait that are not told.
const defaultPatience = 5 * time.Minute

func awaitStartup(t *task) error {
	err := t.poll(t.timeout(defaultPatience), t.runs)
	if errors.Is(err, errTimeout) {
		return fail(exitUnavailable, "rabbit_is_not_running")
	}
	return err
}

// runs reports whether the application runs.
func (t *task) runs() (bool, error) {
	err := t.meet()
	if err != nil && !apiclient.IsUnreachable(err) {
		return false, err
	}
	return err == nil && t.node.running, nil
}

// pidFilePatience is RabbitMQ's for a node that is about to start.
const pidFilePatience = 10 * time.Second

// waitForNode waits for a pid file, then for its process to serve.
func waitForNode(t *task) error {
	patience := t.timeout(pidFilePatience)
	err := t.waitForNode(patience)
	if errors.Is(err, errTimeout) {
		return t.timedOut(patience)
	}
	return err
}

func (t *task) waitForNode(patience time.Duration) error {
	pid := t.options.number("pid")
	if len(t.args) > 0 {
		if err := t.tell("Waiting for pid file '" + t.args[0] + "' to appear"); err != nil {
			return err
		}
		if err := t.poll(patience, func() (bool, error) {
			text, err := os.ReadFile(t.args[0])
			if err != nil {
				return false, nil //nolint:nilerr // it has not appeared yet
			}
			pid, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 32)
			if err != nil {
				return false, fail(exitData, "garbage_in_pid_file")
			}
			return true, nil
		}); err != nil {
			return err
		}
		if err := t.tell("pid is " + strconv.FormatInt(pid, 10)); err != nil {
			return err
		}
	}
	if err := t.tell("Waiting for erlang distribution on node '" + t.nodeName() +
		"' while OS process '" + strconv.FormatInt(pid, 10) + "' is running"); err != nil {
		return err
	}
	err := t.poll(patience, func() (bool, error) {
		if !alive(pid) {
			return false, fail(exitUnavailable, "process_not_running")
		}
		return t.meet() == nil, nil
	})
	if err != nil {
		return err
	}
	if err := t.tell("Waiting for applications 'rabbit_and_plugins' to start on node '" +
		t.nodeName() + "'"); err != nil {
		return err
	}
	if err := t.poll(patience, t.runs); err != nil {
		return err
	}
	return t.tell("Applications 'rabbit_and_plugins' are running on node '" + t.nodeName() + "'")
}

// tell prints progress, unless it is to be quiet.
func (t *task) tell(text string) error {
	if t.quiet() {
		return nil
	}
	return t.print(text)
}
