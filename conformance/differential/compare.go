package differential

import (
	"fmt"
	"slices"
	"strings"
)

// rule is a difference that stays. docs/differences.md has the reason under its name.
type rule struct {
	name string
	// excuses reports whether what came back of a step differs only in this way. The lines of both
	// transcripts are those of the one step.
	excuses func(s step, rabbitmq, warren []string) bool
	// final says that the brokers are in different states afterwards: nothing more is compared.
	final bool
}

// rules are all the differences that stay.
func rules() []rule {
	return []rule{
		{name: "layout of terms in reply texts", excuses: differInSpace},
		{name: "no imitation of crashes", excuses: crashed, final: true},
		{name: "order between queues", excuses: both(ofSeveralQueues), final: true},
		{name: "order between consumers", excuses: both(ofSeveralConsumers), final: true},
	}
}

// differInSpace reports whether the lines are the same but for white space.
func differInSpace(_ step, rabbitmq, warren []string) bool {
	return slices.EqualFunc(rabbitmq, warren, func(a, b string) bool {
		return strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
	})
}

// crashed reports whether RabbitMQ stumbled.
func crashed(_ step, rabbitmq, _ []string) bool {
	return slices.ContainsFunc(rabbitmq, func(line string) bool {
		return strings.Contains(line, " closed: 541 INTERNAL_ERROR")
	})
}

// both reports whether both blocks have a line that ends so.
func both(ending string) func(step, []string, []string) bool {
	return func(_ step, rabbitmq, warren []string) bool {
		ends := func(line string) bool { return strings.Contains(line, ending) }
		return slices.ContainsFunc(rabbitmq, ends) && slices.ContainsFunc(warren, ends)
	}
}

// difference is the first step after which two transcripts tell different things.
type difference struct {
	number           int
	step             step
	rabbitmq, warren []string
}

// compare returns the first difference that no rule excuses, if there is one, and the names of the
// rules that excused others.
func compare(p program, rabbitmq, warren transcript) (d *difference, excused []string) {
	known := rules()
	for i := range p.steps {
		a, b := block(rabbitmq, i), block(warren, i)
		if slices.Equal(a, b) {
			continue
		}
		r := slices.IndexFunc(known, func(r rule) bool { return r.excuses(p.steps[i], a, b) })
		if r < 0 {
			return &difference{i, p.steps[i], a, b}, excused
		}
		excused = append(excused, known[r].name)
		if known[r].final {
			break
		}
	}
	return nil, excused
}

func block(t transcript, step int) []string {
	if step < len(t) {
		return t[step]
	}
	return []string{"(the player gave up before)"}
}

func (d *difference) String() string {
	return fmt.Sprintf("step %d, %s\nrabbitmq:\n\t%s\nwarren:\n\t%s", d.number, d.step,
		strings.Join(d.rabbitmq, "\n\t"), strings.Join(d.warren, "\n\t"))
}

// tell is a program with what came back at each step.
func tell(p program, rabbitmq, warren transcript) string {
	var text strings.Builder
	text.WriteString(strings.SplitN(p.String(), "\n", 2)[0])
	for i, step := range p.steps {
		fmt.Fprintf(&text, "\n%3d %s", i, step)
		a, b := block(rabbitmq, i), block(warren, i)
		if slices.Equal(a, b) {
			for _, line := range a {
				fmt.Fprintf(&text, "\n      %s", line)
			}
			continue
		}
		for _, line := range a {
			fmt.Fprintf(&text, "\n    R %s", line)
		}
		for _, line := range b {
			fmt.Fprintf(&text, "\n    W %s", line)
		}
	}
	return text.String()
}
