package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/warrenmq/warren/conformance/broker"
	"github.com/warrenmq/warren/conformance/process"
)

const (
	// patience is how long a program may take for one line. It is a bound for broken brokers, on
	// slow machines; nothing waits this long otherwise.
	patience = 30 * time.Second
	// pollPause is the time between two questions for which a broker has no notification.
	pollPause = 10 * time.Millisecond
)

// stage is where one scenario is played once: the programs of one language against one vhost of
// one broker. Its methods end the test when something does not happen.
type stage struct {
	t *testing.T
	programs
	broker *broker.Broker
	vhost  string

	roles []string            // in order of appearance
	said  map[string][]string // by role
	wire  string              // what was heard between client and broker, where we listened
	asked *amqp.Connection    // the suite's own connection, nil until used
}

func newStage(t *testing.T, programs programs, b *broker.Broker, vhost string) *stage {
	return &stage{t: t, programs: programs, broker: b, vhost: vhost, said: map[string][]string{}}
}

// actor is a program in a role.
type actor struct {
	*process.Process
	stage *stage
	role  string
	read  int // lines that were waited for
}

// start starts a program in a role; its lines enter the transcript by leave.
func (s *stage) start(role, program string, args ...string) *actor {
	s.t.Helper()
	return s.startAt(s.broker.URL(s.vhost), nil, role, program, args...)
}

// startAt is start with a place and an environment of the program's own.
func (s *stage) startAt(url string, env []string, role, program string, args ...string) *actor {
	s.t.Helper()
	name := fmt.Sprintf("%s %s (%s)", s.name, program, role)
	started, err := process.Start(name, s.command(url, program, args, env))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(started.Kill)
	return &actor{Process: started, stage: s, role: role}
}

// play runs a program in a role to its end, which must be a success.
func (s *stage) play(role, program string, args ...string) {
	s.t.Helper()
	a := s.start(role, program, args...)
	s.must(s.within(a.Wait))
	s.record(role, a.Lines()...)
}

// record adds lines to what a role said.
func (s *stage) record(role string, lines ...string) {
	if !slices.Contains(s.roles, role) {
		s.roles = append(s.roles, role)
	}
	s.said[role] = append(s.said[role], lines...)
}

// transcript is what all roles said, role by role: their own order is known, that between them is
// not.
func (s *stage) transcript() string {
	var text strings.Builder
	for _, role := range s.roles {
		for _, line := range s.said[role] {
			fmt.Fprintf(&text, "%-16s|%s\n", role, line)
		}
	}
	return text.String()
}

// within runs a wait under the general patience.
func (s *stage) within(wait func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	return wait(ctx)
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// eventually asks until the answer is yes.
func (s *stage) eventually(what string, ask func() (bool, error)) {
	s.t.Helper()
	s.must(s.within(func(ctx context.Context) error {
		pause := time.NewTicker(pollPause)
		defer pause.Stop()
		for {
			yes, err := ask()
			if yes || err != nil {
				return err
			}
			select {
			case <-pause.C:
			case <-ctx.Done():
				return errors.New("never true: " + what)
			}
		}
	}))
}

// hears waits until the program prints a line, after the one that was waited for last.
func (a *actor) hears(line string) {
	a.stage.t.Helper()
	a.stage.must(a.stage.within(func(ctx context.Context) error {
		return a.WaitFor(ctx, fmt.Sprintf("%q", line), func(lines []string) bool {
			at := slices.Index(lines[a.read:], line)
			if at >= 0 {
				a.read += at + 1
			}
			return at >= 0
		})
	}))
}

// leave sends Ctrl-C to all actors, waits for their ends, and writes down what they said.
func (s *stage) leave(actors ...*actor) {
	s.t.Helper()
	s.end(actors...)
	for _, a := range actors {
		s.record(a.role, a.Lines()...)
	}
}

// end sends Ctrl-C to all actors and waits for their ends, without a word in the transcript. How
// they end is their language's habit.
func (s *stage) end(actors ...*actor) {
	s.t.Helper()
	for _, a := range actors {
		a.Interrupt()
	}
	for _, a := range actors {
		if err := s.within(a.Wait); err != nil && a.Err() == nil {
			s.t.Fatal(err) // it runs on
		}
	}
}

// channel opens a channel of the suite's own, beside the programs.
func (s *stage) channel() *amqp.Channel {
	s.t.Helper()
	if s.asked == nil {
		connection, err := amqp.Dial(s.broker.URL(s.vhost))
		s.must(err)
		s.t.Cleanup(func() { connection.Close() })
		s.asked = connection
	}
	channel, err := s.asked.Channel()
	s.must(err)
	return channel
}

// waitConsumers waits until a queue has so many consumers.
func (s *stage) waitConsumers(queue string, count int) {
	s.t.Helper()
	channel := s.channel()
	defer channel.Close()
	s.eventually(fmt.Sprintf("%d consumers of %s", count, queue), func() (bool, error) {
		seen, err := channel.QueueDeclarePassive(queue, true, false, false, false, nil)
		return seen.Consumers == count, err
	})
}

// waitBindings waits until an exchange has so many bindings, and returns them.
func (s *stage) waitBindings(exchange string, count int) []broker.Binding {
	s.t.Helper()
	var bindings []broker.Binding
	s.eventually(fmt.Sprintf("%d bindings of %s", count, exchange), func() (bool, error) {
		var err error
		bindings, err = s.broker.Bindings(s.t.Context(), s.vhost, exchange)
		return len(bindings) == count, err
	})
	return bindings
}

// golden is the transcript that a scenario must have.
func golden(t *testing.T, scenario string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + scenario + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
