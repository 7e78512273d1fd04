package differential

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rule is a difference that stays. docs/differences.md has the reason under its name.
type rule struct {
	name string
	// excuses reports whether what came back of a step differs only in this way. The lines of both
	// transcripts are those of the one step.
	excuses func(p program, rabbitmq, warren []string) bool
	// final says that the brokers are in different states afterwards: nothing more is compared.
	final bool
}

// rules are all the differences that stay.
func rules() []rule {
	return []rule{
		{name: "layout of terms in reply texts", excuses: differInSpace},
		{name: "last death", excuses: differInLastDeath},
		{name: "order of deaths", excuses: differInOrderOfDeaths},
		{name: "lazy expiry of priority queues", excuses: lazyExpiry, final: true},
		{name: "soft limits of quorum queues", excuses: softLimit, final: true},
		{name: "place in quorum queues without a delivery limit", excuses: backmost, final: true},
		{name: "order of channels that close together", excuses: closedTogether, final: true},
		{
			name:    "limits of what comes back to quorum queues",
			excuses: limitedReturn, final: true,
		},
		{name: "no imitation of crashes", excuses: crashed, final: true},
		{name: "answers in a transaction", excuses: either(inTransaction), final: true},
		{name: "memory of exchanges in a transaction", excuses: rememberedEarly, final: true},
		{name: "order in a transaction", excuses: either(publishesAndSettles), final: true},
		{name: "order in quorum queues", excuses: otherOrder, final: true},
		{name: "turns of consumers", excuses: otherTurns, final: true},
		{
			name:    "prefetch of channels that hold what they got",
			excuses: limitedByGets, final: true,
		},
		{name: "dead letters by keys of BCC", excuses: hiddenKeys, final: true},
		{name: "further keys between exchanges", excuses: furtherKeys, final: true},
		{name: "order between queues", excuses: either(ofSeveralQueues), final: true},
		{name: "order between consumers", excuses: either(ofSeveralConsumers), final: true},
	}
}

// differInSpace reports whether the lines are the same but for white space.
func differInSpace(_ program, rabbitmq, warren []string) bool {
	return slices.EqualFunc(rabbitmq, warren, func(a, b string) bool {
		return strings.Join(strings.Fields(a), "") == strings.Join(strings.Fields(b), "")
	})
}

// lastDeath are the headers that tell where a message died last.
var lastDeath = regexp.MustCompile(` x-last-death-(exchange|queue|reason)="[^"]*"`)

// differInLastDeath reports whether only warren tells where messages died last.
func differInLastDeath(_ program, rabbitmq, warren []string) bool {
	return slices.EqualFunc(rabbitmq, warren, func(a, b string) bool {
		return a == lastDeath.ReplaceAllString(b, "")
	})
}

// severalDeaths is in a line about a message that has died in several ways.
var severalDeaths = regexp.MustCompile(`\bx-death=\[\{.*\} \{`)

// differInOrderOfDeaths reports whether only the elements of x-death are in another order.
func differInOrderOfDeaths(_ program, rabbitmq, warren []string) bool {
	words := func(line string) []string {
		return slices.Sorted(strings.FieldsFuncSeq(line, func(r rune) bool {
			return strings.ContainsRune(" {}[]", r)
		}))
	}
	return slices.EqualFunc(rabbitmq, warren, func(a, b string) bool {
		b = lastDeath.ReplaceAllString(b, "")
		return a == b || severalDeaths.MatchString(a) && severalDeaths.MatchString(b) &&
			slices.Equal(words(a), words(b))
	})
}

// sortedWithoutLastDeath are the lines without those headers, in the order of their text.
func sortedWithoutLastDeath(lines []string) []string {
	list := make([]string, len(lines))
	for i, line := range lines {
		list[i] = lastDeath.ReplaceAllString(line, "")
	}
	slices.Sort(list)
	return list
}

// lazyExpiry reports whether messages may have expired in a priority or quorum queue.
func lazyExpiry(p program, _, _ []string) bool { return p.lazy }

// softLimit reports whether a quorum queue may have taken what it should refuse.
func softLimit(p program, _, _ []string) bool { return p.soft }

// backmost reports whether RabbitMQ may have put what came back to the end of a quorum queue.
func backmost(p program, _, _ []string) bool { return p.back }

// limitedReturn reports whether only RabbitMQ delivered again what came back to a quorum queue with
// limits.
func limitedReturn(p program, rabbitmq, warren []string) bool {
	again := func(line string) bool { return strings.Contains(line, " redelivered") }
	return p.limited && slices.ContainsFunc(rabbitmq, again) && !slices.ContainsFunc(warren, again)
}

// messageName is how a message is called, with what it has been given for its size.
var messageName = regexp.MustCompile(`\bm[0-9]+(\+[0-9]+)?\b`)

// otherOrder reports whether what came back to a quorum queue came in another order.
func otherOrder(p program, rabbitmq, warren []string) bool {
	if either(ofQuorumQueue)(p, rabbitmq, warren) {
		return true
	}
	if p.quorum && slices.EqualFunc(rabbitmq, warren, func(a, b string) bool {
		return a == b || strings.Contains(a, " redelivered") &&
			messageName.ReplaceAllString(a, "m") == messageName.ReplaceAllString(b, "m")
	}) {
		return true
	}
	counted := func(line string) bool { return strings.Contains(line, "x-delivery-count=") }
	return slices.ContainsFunc(rabbitmq, counted) && slices.Equal(
		sortedWithoutLastDeath(rabbitmq), sortedWithoutLastDeath(warren))
}

// whoGets is the beginning of a line about a delivery.
var whoGets = regexp.MustCompile(`^channel [0-9]+: \S+ of `)

// otherTurns reports whether the same messages went to other consumers, in a program in which
// RabbitMQ takes consumers out of the turn and back into it when it comes to that.
func otherTurns(p program, rabbitmq, warren []string) bool {
	anybody := func(lines []string) []string {
		list := make([]string, len(lines))
		for i, line := range lines {
			list[i] = whoGets.ReplaceAllString(line, "")
		}
		return sortedWithoutLastDeath(list)
	}
	return (p.quorum || p.global()) && slices.Equal(anybody(rabbitmq), anybody(warren))
}

// limitedByGets reports whether only deliveries differ, and what is left in queues, in a program
// in which a channel that holds messages it got may have been given a prefetch of its own.
func limitedByGets(p program, rabbitmq, warren []string) bool {
	return p.global() && p.gets() && differInPlaces(rabbitmq, warren)
}

// hiddenKeys reports whether only where messages went differs, in a program in which messages with
// BCC may have become dead letters that keep their keys.
func hiddenKeys(p program, rabbitmq, warren []string) bool {
	return p.has("basic.publish", "BCC=[") && p.has("queue.declare", "x-dead-letter-exchange=") &&
		differInPlaces(rabbitmq, warren)
}

// furtherKeys reports whether only where messages went differs, in a program in which those with
// CC or BCC may have gone through several exchanges.
func furtherKeys(p program, rabbitmq, warren []string) bool {
	return p.has("basic.publish", "CC=[") && differInPlaces(rabbitmq, warren) &&
		(p.has("exchange.declare", "alternate-exchange=") || p.has("exchange.bind", ""))
}

// rememberedEarly reports whether only where messages went differs, in a program in which exchanges
// may have remembered what was published in a transaction.
func rememberedEarly(p program, rabbitmq, warren []string) bool {
	return slices.Contains(p.modes[:], transactions) && differInPlaces(rabbitmq, warren) &&
		p.has("exchange.declare", "x-recent-history")
}

// differInPlaces reports whether the lines differ in deliveries and what is left in queues alone.
func differInPlaces(rabbitmq, warren []string) bool {
	others := func(lines []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(line string) bool {
			return whoGets.MatchString(line) || strings.HasPrefix(line, "queue ")
		})
	}
	return slices.Equal(others(rabbitmq), others(warren))
}

// closedTogether reports whether both brokers closed a connection, in the same words: what its
// channels held comes back in any order.
func closedTogether(_ program, rabbitmq, warren []string) bool {
	closed := func(line string) bool { return strings.HasPrefix(line, "connection ") }
	a, b := slices.IndexFunc(rabbitmq, closed), slices.IndexFunc(warren, closed)
	return a >= 0 && a == b && slices.Equal(rabbitmq[:a+1], warren[:b+1])
}

// crash is in what comes back when RabbitMQ stumbles.
const crash = " closed: 541 INTERNAL_ERROR"

// crashed reports whether RabbitMQ stumbled.
func crashed(_ program, rabbitmq, _ []string) bool {
	return slices.ContainsFunc(rabbitmq, func(line string) bool {
		return strings.Contains(line, crash)
	})
}

// either reports whether a line of one of the blocks ends so: what is settled together differs when
// it came in another order.
func either(ending string) func(program, []string, []string) bool {
	return func(_ program, rabbitmq, warren []string) bool {
		ends := func(line string) bool { return strings.Contains(line, ending) }
		return slices.ContainsFunc(rabbitmq, ends) || slices.ContainsFunc(warren, ends)
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
		r := slices.IndexFunc(known, func(r rule) bool { return r.excuses(p, a, b) })
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
