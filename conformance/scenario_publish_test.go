package conformance

import (
	"fmt"
	"strings"
)

// publishSubscribe: every receiver has a queue of its own, which lives as long as the receiver.
func publishSubscribe(s *stage) {
	var receivers []*actor
	for i := range 3 {
		receivers = append(receivers, s.start(fmt.Sprintf("receive_logs%d", i+1), "receive_logs"))
	}
	s.waitBanners(receivers...)
	s.recordBindings("logs", len(receivers))
	s.play("emit_log", "emit_log")
	s.play("emit_log", "emit_log", "Oi!", "CA4006!!")
	for _, receiver := range receivers {
		receiver.hears(" [x] info: Hello World!")
		receiver.hears(" [x] Oi! CA4006!!")
	}
	s.leave(receivers...)
	s.recordBindings("logs", 0)
	s.play("emit_log", "emit_log", "Nobody hears this.")

	late := s.start("late", "receive_logs")
	s.waitBanners(late)
	s.recordBindings("logs", 1)
	s.play("emit_log", "emit_log", "Good morning!")
	late.hears(" [x] Good morning!")
	s.leave(late)
}

// waitBanners waits until all receivers listen.
func (s *stage) waitBanners(receivers ...*actor) {
	s.t.Helper()
	for _, receiver := range receivers {
		receiver.hears(logsBanner)
	}
}

// recordBindings waits for the bindings of an exchange and writes them down. The routing key of a
// fanout's binding is the client's whim.
func (s *stage) recordBindings(exchange string, count int) {
	s.t.Helper()
	s.record("list_bindings", fmt.Sprintf(" %d of %s:", count, exchange))
	for _, binding := range s.waitBindings(exchange, count) {
		queue, named := strings.CutPrefix(binding.Destination, "amq.gen-")
		if !named || queue == "" {
			s.t.Errorf("the broker named a queue %q", binding.Destination)
		}
		s.record("list_bindings", fmt.Sprintf(" %s %s amq.gen-... %s",
			binding.Source, binding.SourceKind, binding.DestinationKind))
	}
}

// routing: receivers choose severities.
func routing(s *stage) {
	errors := s.start("errors", "receive_logs_direct", "error")
	all := s.start("all", "receive_logs_direct", "info", "warning", "error")
	s.waitBanners(errors, all)
	s.play("emit", "emit_log_direct")
	all.hears(" [x] 'info': 'Hello World!'")
	s.play("emit", "emit_log_direct", "warning", "It is getting warm.")
	all.hears(" [x] 'warning': 'It is getting warm.'")
	s.play("emit", "emit_log_direct", "debug", "Nobody asked for this.")
	s.play("emit", "emit_log_direct", "error", "Run. Run. Or it will explode.")
	for _, receiver := range []*actor{errors, all} {
		receiver.hears(" [x] 'error': 'Run. Run. Or it will explode.'")
	}
	s.leave(errors, all)
}

// topics: an asterisk stands for a word only when it is a whole word of the binding key. The last
// message is for the second receiver: having it, it has had all that it will get.
func topics(s *stage) {
	const message = "Assignment 2 is coming"
	c1 := s.start("C1", "receive_logs_topic", "CA4006.*", "CA4*")
	c2 := s.start("C2", "receive_logs_topic", "CA296", "CA2*")
	c3 := s.start("C3", "receive_logs_topic", "CA4010.*", "CA4*")
	s.waitBanners(c1, c2, c3)
	for _, key := range []string{"CA4006.", "CA296", "CA400*", "CA4*", "CA2*"} {
		s.play("emit", "emit_log_topic", key, message)
	}
	c1.hears(" [x] 'CA4006.': 'Assignment 2 is coming'")
	c1.hears(" [x] 'CA4*': 'Assignment 2 is coming'")
	c3.hears(" [x] 'CA4*': 'Assignment 2 is coming'")
	c2.hears(" [x] 'CA296': 'Assignment 2 is coming'")
	c2.hears(" [x] 'CA2*': 'Assignment 2 is coming'")
	s.leave(c1, c2, c3)
}

// wildcards: # stands for any number of words, * for one. All receivers get the last message.
func wildcards(s *stage) {
	all := s.start("all", "receive_logs_topic", "#")
	kernel := s.start("kern.*", "receive_logs_topic", "kern.*", "kern.*")
	either := s.start("either", "receive_logs_topic", "cron.#", "*.critical")
	s.waitBanners(all, kernel, either)
	for _, key := range []string{
		"kern", "kern.info", "kern.usb.info", "cron", "cron.daily.critical", "kern.critical",
	} {
		s.play("emit", "emit_log_topic", key, "A", "message")
		all.hears(fmt.Sprintf(" [x] '%s': 'A message'", key))
	}
	for _, receiver := range []*actor{kernel, either} {
		receiver.hears(" [x] 'kern.critical': 'A message'")
	}
	s.leave(all, kernel, either)
}
