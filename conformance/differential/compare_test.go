package differential

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestEveryRuleIsOnThePageOfDifferences(t *testing.T) {
	page, err := os.ReadFile("../../docs/differences.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	for _, r := range rules() {
		if !strings.Contains(string(page), "\n| "+r.name+" | ") {
			t.Errorf("docs/differences.md does not say why %q stays", r.name)
		}
	}
	for line := range strings.Lines(string(page)) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| name |") {
			listed++
		}
	}
	if listed != len(rules()) {
		t.Errorf("docs/differences.md lists %d differences, and there are %d", listed, len(rules()))
	}
}

func TestAProgramIsItsSeedAlone(t *testing.T) {
	for seed := range int64(200) {
		if a, b := generate(seed), generate(seed); a.String() != b.String() {
			t.Fatalf("seed %d:\n%s\nand then\n%s", seed, a, b)
		}
	}
	if p := generate(1, "+quorum", "-ttl"); !p.quiet {
		t.Error("a feature that was chosen is not there")
	}
}

func TestADifferenceIsFoundAndExcusedByName(t *testing.T) {
	p := program{steps: []step{queuePurge{0, "q0"}, ending{0, false}, queuePurge{0, "q1"}}}
	same := transcript{{"a"}, {"done"}, {"b"}}
	if d, excused := compare(p, same, same); d != nil || excused != nil {
		t.Errorf("what is the same differs: %v, %q", d, excused)
	}
	spaced := transcript{{"a"}, {"do\n  ne"}, {"c"}}
	d, excused := compare(p, spaced, same)
	if d == nil || d.number != 2 || len(excused) != 1 {
		t.Errorf("found %v, excused %q", d, excused)
	}
	crashed := transcript{{"a"}, {"channel 0" + crash}, {"c"}}
	if d, excused := compare(p, crashed, same); d != nil || len(excused) != 1 {
		t.Errorf("after a crash differs %v, excused %q", d, excused)
	}
	if d, _ := compare(p, same, same[:1]); d == nil || d.number != 1 {
		t.Errorf("the end of a transcript is missing, and found is %v", d)
	}
}

func TestShrinkingLeavesWhatMatters(t *testing.T) {
	var p program
	for i := range 37 {
		p.steps = append(p.steps, qos{0, i, false})
	}
	has := func(p program, count int) bool {
		for _, s := range p.steps {
			if s == (qos{0, count, false}) {
				return true
			}
		}
		return false
	}
	shrunk := shrink(p, func(p program) bool { return has(p, 5) && has(p, 30) })
	if len(shrunk.steps) != 2 {
		t.Errorf("left is %s", shrunk)
	}
}

func TestTheOrderOfDeathsIsExcusedAndTheirContentIsNot(t *testing.T) {
	const line = `channel 0: t0 of q0 gets m1 from "" by "q0" headers={x-death=`
	rabbitmq := []string{line + `[{count=int64(1) queue="c"} {queue="a"} {queue="b"}]}`}
	for told, want := range map[string]bool{
		`[{count=int64(1) queue="c"} {queue="b"} {queue="a"}]}`:                          true,
		`[{count=int64(1) queue="c"} {queue="b"} {queue="a"}] x-last-death-queue="c"}`:   true,
		`[{count=int64(1) queue="c"} {queue="b"} {queue="b"}]}`:                          false,
		`[{count=int64(2) queue="c"} {queue="b"} {queue="a"}]}`:                          false,
		`[{count=int64(1) queue="c"} {queue="a"} {queue="b"}] x-first-death-queue="a"}`:  false,
		`[{count=int64(1) queue="c"} {queue="a"} {queue="b"}] x-first-death-queue=<nil>`: false,
	} {
		if got := differInOrderOfDeaths(program{}, rabbitmq, []string{line + told}); got != want {
			t.Errorf("%s is excused: %t", told, got)
		}
	}
}

func TestNamesToAnswerAtAreToldByNumber(t *testing.T) {
	p := &player{prefix: "d1.1."}
	p.say("reply-to=%q", replyQueue+".second")
	p.say("no queue '%s.first' in vhost '/', reply-to=%q", replyQueue, replyQueue+".second")
	p.say("%q", replyQueue)
	want := []string{
		`reply-to="amq.rabbitmq.reply-to/0"`,
		`no queue 'amq.rabbitmq.reply-to/1' in vhost '/', reply-to="amq.rabbitmq.reply-to/0"`,
		`"amq.rabbitmq.reply-to"`,
	}
	if !slices.Equal(p.lines, want) {
		t.Errorf("told is %q", p.lines)
	}
}
