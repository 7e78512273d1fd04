package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/warrenmq/warren/conformance/broker"
	"github.com/warrenmq/warren/conformance/wiretap"
)

const (
	messagesBanner = " [*] Waiting for messages. To exit press CTRL+C"
	logsBanner     = " [*] Waiting for logs. To exit press CTRL+C"
)

// reindeer are the eight tasks of the work queue.
func reindeer() []string {
	return []string{
		"Dasher", "Dancer", "Prancer", "Vixen", "Comet", "Cupid", "Dunder", "Blixem",
	}
}

// hello: one message through the default exchange; Ctrl-C closes the receiver's connection; the
// queue keeps what is sent while nobody listens.
func hello(s *stage) {
	place, goodbye := s.listenIn()
	receiver := s.startAt(place, nil, "receive", "receive")
	receiver.hears(messagesBanner)
	s.play("send", "send")
	receiver.hears(" [x] Received Hello World!")
	s.leave(receiver)
	goodbye()

	defaultBindings, err := s.broker.Bindings(s.t.Context(), s.vhost, "")
	s.must(err)
	for _, binding := range defaultBindings {
		if binding.Destination == "hello" {
			s.record("list_bindings", fmt.Sprintf(" %s '%s' to %s '%s' by '%s'", binding.SourceKind,
				binding.Source, binding.DestinationKind, binding.Destination, binding.RoutingKey))
		}
	}

	s.play("send again", "send")
	late := s.start("receive again", "receive")
	// A client with threads may receive before our program's banner.
	for _, line := range []string{messagesBanner, " [x] Received Hello World!"} {
		s.must(s.within(func(ctx context.Context) error { return late.WaitLine(ctx, line) }))
		s.record("receive again", line)
	}
	s.end(late)
}

// listenIn returns a place for one client where we hear what it says, and a check, for when it has
// left, that it said goodbye before it hung up, and that the broker agreed. The deaf go to the
// broker itself, and nothing is demanded of them.
func (s *stage) listenIn() (place string, goodbye func()) {
	s.t.Helper()
	if s.deafToCtrlC {
		return s.broker.URL(s.vhost), func() {}
	}
	tap, err := wiretap.Listen(s.broker.Address())
	s.must(err)
	s.t.Cleanup(tap.Close)
	return broker.URLAt(tap.Address(), s.vhost), func() {
		s.t.Helper()
		var heard wiretap.Conversation
		s.must(s.within(func(ctx context.Context) (err error) {
			heard, err = tap.Conversation(ctx)
			return err
		}))
		s.wire = fmt.Sprintf("client: %s\nserver: %s\n",
			strings.Join(heard.Client, " "), strings.Join(heard.Server, " "))
		if !strings.Contains(s.wire, " connection.close\nserver:") ||
			!strings.HasSuffix(s.wire, " connection.close-ok\n") {
			s.t.Errorf("the last words were not those of a close:\n%s", s.wire)
		}
	}
}

// workQueues: three idle workers get eight tasks in turn.
func workQueues(s *stage) {
	workers := s.startWorkers(nil, nil, nil)
	for i, task := range reindeer() {
		s.play("new_task", "new_task", task)
		worker := workers[i%len(workers)]
		worker.hears(" [x] Received " + task)
		worker.hears(" [x] Done")
	}
	s.leave(workers...)
}

// startWorkers starts a worker per environment, in this order, and waits until all are idle.
func (s *stage) startWorkers(environments ...[]string) []*actor {
	s.t.Helper()
	var workers []*actor
	for i, environment := range environments {
		role := fmt.Sprintf("worker%d", i+1)
		worker := s.startAt(s.broker.URL(s.vhost), environment, role, "worker")
		worker.hears(messagesBanner)
		s.waitConsumers("task_queue", i+1)
		workers = append(workers, worker)
	}
	return workers
}

// workerKilled: the second worker is killed in the midst of its task, and the task is done by
// another; which one is not fixed, so the two that stay speak as one.
func workerKilled(s *stage) {
	workers := s.startWorkers(
		[]string{"DOT_SECONDS=0"}, []string{"DOT_SECONDS=3600"}, []string{"DOT_SECONDS=0"})
	killed, others := workers[1], []*actor{workers[0], workers[2]}
	for i, task := range reindeer() {
		s.play("new_task", "new_task", task+".")
		if i == 1 {
			killed.hears(" [x] Received Dancer.")
		}
		if i == 4 {
			killed.Kill()
		}
	}
	s.eventually("all eight tasks are done", func() (bool, error) {
		return count(" [x] Done", others) == len(reindeer()), nil
	})
	s.waitConsumers("task_queue", len(others))
	s.record("worker2", killed.Lines()...)
	s.end(others...)
	var lines []string
	for _, worker := range others {
		lines = append(lines, worker.Lines()...)
	}
	slices.Sort(lines)
	s.record("workers 1 and 3", lines...)
}

// count counts a line in what all actors have said.
func count(line string, actors []*actor) int {
	total := 0
	for _, actor := range actors {
		for _, said := range actor.Lines() {
			if said == line {
				total++
			}
		}
	}
	return total
}

// colours: each message lands in the queue of its colour only.
func colours(s *stage) { s.play("colours", "colours") }

// fanOut: the two bound queues of three get the message, whatever its routing key.
func fanOut(s *stage) { s.play("fan_out", "fan_out") }
