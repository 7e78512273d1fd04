package wiretest

import (
	"path"
	"slices"
	"testing"

	"github.com/warrenmq/warren/amqp"
)

func TestAStoryIsWrittenAsItWasRead(t *testing.T) {
	for _, file := range Files() {
		text, err := stories.ReadFile(path.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseStory(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if s.String() != string(text) {
			t.Errorf("%s: a story differs after reading and writing it", file)
		}
		if len(s.steps) == 0 {
			t.Errorf("%s tells nothing", file)
		}
	}
}

func TestAStoryWithoutDashesIsRefused(t *testing.T) {
	for _, text := range []string{
		"login\n", "login\n\nlogin\n----\n", "----\n", "login\n----\n----\n",
		"login\n---- warren\n",
	} {
		if _, err := parseStory(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestWarrenIsHeldToItsOwnAnswers(t *testing.T) {
	s, err := parseStory("# c\nlogin\n----\na\n---- warren\nb\nc\n\nlogin\n----\nd\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.steps[0].want(true); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("warren: %v", got)
	}
	if got := s.steps[0].want(false); !slices.Equal(got, []string{"a"}) {
		t.Errorf("RabbitMQ: %v", got)
	}
	if got := s.steps[1].want(true); !slices.Equal(got, []string{"d"}) {
		t.Errorf("warren, where it does not differ: %v", got)
	}
}

func TestStoriesKnowEveryMethod(t *testing.T) {
	for class := range 100 {
		for method := range 130 {
			id := amqp.MethodID(class<<16 | method)
			if id.Known() && newMethod(id.String()) == nil {
				t.Errorf("no command sends %v", id)
			}
		}
	}
}

func TestAnAddressGoesWithoutSayingWhereItCan(t *testing.T) {
	for _, line := range []string{
		"queue.declare queue=c2", "c1/2 queue.declare", "c2 queue.declare", "c2/3 queue.declare",
		"connection.open", "c1/1 connection.open", "c2 connection.open", "closed", "c2 closed",
		"c1/0 queue.declare",
	} {
		name, channel, rest := splitAddress(line)
		if got := address(name, channel, rest) + rest; got != line {
			t.Errorf("%q is written %q", line, got)
		}
	}
}

func TestMadeNamesAreNumberedAsTheyAppear(t *testing.T) {
	n := newNames()
	got := n.mask([]string{"queue=amq.gen-abcdefghij", "tag=amq.ctag-AB_DEFGH-1",
		"queue=amq.gen-klmnopqrst", "queue=amq.gen-abcdefghij"})
	want := []string{"queue=amq.gen-1", "tag=amq.ctag-1", "queue=amq.gen-2", "queue=amq.gen-1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := n.unmask("bind queue=amq.gen-2 x=amq.gen-3"); got !=
		"bind queue=amq.gen-klmnopqrst x=amq.gen-3" {
		t.Errorf("got %q", got)
	}
}
