package differential

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/warrenmq/warren/conformance/broker"
)

const (
	// programsDefault is how many programs are played when WARREN_PROGRAMS does not say.
	programsDefault = 200
	// playersMax is how many programs are played at once. Most of the time they wait.
	playersMax = 24
	// reportsMax is how many differences are shrunk and told.
	reportsMax = 10
	// againMax is how often a program that differed is played again: it differs every time, or the
	// machine was too slow for it.
	againMax = 2
	// startPatience is how long both brokers may take to start.
	startPatience = 3 * time.Minute
)

var (
	seed = flag.Int64("seed", 0, "play the program of this seed only, and tell it")
	from = flag.Int64("from", 1, "the first seed")

	choices = flag.String("features", "", "features to leave out (-ttl) or to put into every "+
		"program (+ttl), separated by commas: "+
		strings.Join(slices.Sorted(maps.Keys((&features{}).named())), " "))
)

// theatre is both brokers, and what was found.
type theatre struct {
	rabbitmq, warren string // URLs
	played           atomic.Int64

	mu       sync.Mutex
	unstable []string // differences that did not come again
	excused  map[string]int
	differed []int64
	reports  []string
}

// TestProgramsMeanTheSame plays random programs at both brokers.
func TestProgramsMeanTheSame(t *testing.T) {
	s := open(t)
	if *seed != 0 {
		p := generate(*seed, strings.Split(*choices, ",")...)
		d, rabbitmq, warren, err := s.perform(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(tell(p, rabbitmq, warren))
		if d != nil {
			t.Error(s.shrunk(p))
		}
		return
	}
	count := programsDefault
	if given := os.Getenv("WARREN_PROGRAMS"); given != "" {
		var err error
		if count, err = strconv.Atoi(given); err != nil {
			t.Fatalf("WARREN_PROGRAMS=%s: %v", given, err)
		}
	}
	start := time.Now()
	seeds := make(chan int64)
	var players sync.WaitGroup
	for range playersMax {
		players.Go(func() {
			for seed := range seeds {
				s.try(t, generate(seed, strings.Split(*choices, ",")...))
			}
		})
	}
	for i := range int64(count) {
		seeds <- *from + i
	}
	close(seeds)
	players.Wait()
	t.Logf("%d programs from seed %d in %s: %d differ, %d differed once, %d are excused%s",
		s.played.Load(), *from, time.Since(start).Round(time.Second), len(s.differed),
		len(s.unstable), sum(s.excused), s.excuses())
	if len(s.unstable) > 0 {
		t.Logf("differed once, and not when played again:\n%s", strings.Join(s.unstable, "\n"))
	}
	if len(s.differed) > 0 {
		slices.Sort(s.differed)
		t.Errorf("seeds of programs that differ: %d\n\n%s", s.differed,
			strings.Join(s.reports, "\n\n"))
	}
}

func sum(counts map[string]int) (total int) {
	for _, count := range counts {
		total += count
	}
	return total
}

func (s *theatre) excuses() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.excused)) {
		fmt.Fprintf(&text, "\n\t%d %s", s.excused[name], name)
	}
	return text.String()
}

// open starts both brokers.
func open(t *testing.T) *theatre {
	t.Helper()
	s := &theatre{excused: map[string]int{}}
	ctx, cancel := context.WithTimeout(t.Context(), startPatience)
	defer cancel()
	if given := os.Getenv("WARREN_DIFFERENTIAL"); given != "" {
		s.rabbitmq, s.warren, _ = strings.Cut(given, ",")
		return s
	}
	binary, err := broker.WarrenBinary(ctx, t.TempDir())
	broker.Need(t, err)
	for _, start := range []func() (*broker.Broker, error){
		func() (*broker.Broker, error) {
			return broker.StartRabbitMQ(ctx, t.TempDir(), []string{broker.DefaultVHost},
				"rabbitmq_recent_history_exchange")
		},
		func() (*broker.Broker, error) { return broker.StartWarren(ctx, binary, t.TempDir()) },
	} {
		b, err := start()
		broker.Need(t, err)
		t.Cleanup(b.Stop)
		if b.Name() == "warren" {
			s.warren = b.URL(broker.DefaultVHost)
		} else {
			s.rabbitmq = b.URL(broker.DefaultVHost)
		}
	}
	return s
}

// perform plays a program at both brokers, at the same time.
func (s *theatre) perform(p program) (d *difference, rabbitmq, warren transcript, err error) {
	prefix := fmt.Sprintf("d%d.%d.", p.seed, s.played.Add(1))
	var failures [2]error
	var both sync.WaitGroup
	both.Go(func() { rabbitmq, failures[0] = play(p, s.rabbitmq, prefix) })
	both.Go(func() { warren, failures[1] = play(p, s.warren, prefix) })
	both.Wait()
	if errors.Is(failures[0], errNoAnswer) {
		rabbitmq = append(rabbitmq, []string{crash + " it does not answer"})
		failures[0] = nil
	}
	d, excused := compare(p, rabbitmq, warren)
	s.mu.Lock()
	for _, name := range excused {
		s.excused[name]++
	}
	s.mu.Unlock()
	for i, name := range []string{"rabbitmq", "warren"} {
		if failures[i] != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, failures[i]))
		}
	}
	return d, rabbitmq, warren, err
}

// try plays a program until it is sure whether it differs.
func (s *theatre) try(t *testing.T, p program) {
	var once string
	for again := range 1 + againMax {
		d, rabbitmq, warren, err := s.perform(p)
		switch {
		case d == nil && err == nil && again > 0:
			s.mu.Lock()
			s.unstable = append(s.unstable, fmt.Sprintf("seed %d, %s", p.seed, once))
			s.mu.Unlock()
			return
		case d == nil && err == nil:
			return
		case d != nil:
			once = d.String()
		default:
			once = err.Error()
		}
		if again == againMax {
			t.Logf("seed %d differs, %s", p.seed, once)
			s.found(p, tell(p, rabbitmq, warren), err)
		}
	}
}

// found reports a program that differs.
func (s *theatre) found(p program, told string, err error) {
	s.mu.Lock()
	s.differed = append(s.differed, p.seed)
	enough := len(s.differed) > reportsMax
	s.mu.Unlock()
	if enough {
		return
	}
	report := s.shrunk(p)
	if report == "" {
		report = fmt.Sprintf("%v\n%s", err, told)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, report)
}

// shrunk returns the shortest program that differs as text, with both transcripts.
func (s *theatre) shrunk(p program) string {
	var last string
	differs := func(p program) bool {
		d, _, _, err := s.perform(p)
		if d == nil && err == nil {
			return false
		}
		d, rabbitmq, warren, err := s.perform(p) // by chance it would differ once
		if d == nil && err == nil {
			return false
		}
		last = tell(p, rabbitmq, warren)
		if err != nil {
			last += "\n" + err.Error()
		}
		return true
	}
	if !differs(p) {
		return ""
	}
	shrink(p, differs)
	return last
}
