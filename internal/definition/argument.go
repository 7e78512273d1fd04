package definition

import (
	"slices"
	"strconv"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

const (
	typeArgument       = "x-queue-type"
	deadLetterArgument = "x-dead-letter-exchange"
	defaultType        = "classic"

	holdTimeArgument     = "x-consumer-timeout" // of a queue
	priorityArgument     = "x-max-priority"
	singleActiveArgument = "x-single-active-consumer"

	// expiryMax is the longest time to live of a message or a queue, in milliseconds: ten
	// years, RabbitMQ's limit.
	expiryMax = 315_360_000_000
	// priorityMax is the greatest number of priorities a queue may have.
	priorityMax = 255
)

// queueType is what a type of queue is capable of, as far as declarations go.
type queueType struct {
	name string
	// module is what RabbitMQ calls the type in reply texts.
	module string
	// arguments are those that mean something to the type, in the order in which they are
	// compared. Those of other types are refused.
	arguments []string
	// durableOnly types are durable, not exclusive, not auto-delete, and named by clients.
	durableOnly bool
	kind        kinds // a bit
	// agreed types keep messages by agreement between nodes: they tell consumers how often a
	// message came back, can keep a message until its dead letter is stored, and cannot make dead
	// letters of what they refuse. A policy's overflow beats the argument.
	agreed bool
}

var queueTypes = map[string]*queueType{
	"classic": {
		name: "classic", module: "rabbit_classic_queue", kind: onClassic,
		arguments: []string{
			"x-expires", "x-message-ttl", deadLetterArgument, "x-dead-letter-routing-key",
			"x-max-length", "x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode",
			"x-queue-version", "x-single-active-consumer", typeArgument, "x-queue-master-locator",
			holdTimeArgument, durabilityArgument,
		},
	},
	"quorum": {
		name: "quorum", module: "rabbit_quorum_queue", durableOnly: true, kind: onQuorum,
		agreed: true,
		arguments: []string{
			deadLetterArgument, "x-dead-letter-routing-key", "x-dead-letter-strategy", "x-expires",
			"x-max-length", "x-max-length-bytes", "x-max-in-memory-length",
			"x-max-in-memory-bytes", "x-overflow", "x-single-active-consumer", typeArgument,
			"x-quorum-initial-group-size", "x-delivery-limit", "x-message-ttl",
			"x-queue-leader-locator", holdTimeArgument,
		},
	},
}

// streamArguments belong to streams alone, which other types refuse, too.
var streamArguments = []string{
	"x-max-age", "x-stream-max-segment-size-bytes", "x-initial-cluster-size",
}

// typeOf returns the type that arguments ask for, false when there is none such.
func typeOf(arguments amqp.Table) (*queueType, bool) {
	v, ok := arguments.Lookup(typeArgument)
	if !ok {
		return queueTypes[defaultType], true
	}
	name, ok := v.Text()
	kind := queueTypes[string(name)]
	return kind, ok && kind != nil
}

// isDefaultType tells whether a value of x-queue-type means the same as none.
func isDefaultType(v amqp.Value, present bool) bool {
	name, _ := v.Text()
	return !present || string(name) == defaultType
}

// rule says what is wrong with the value of an argument, in RabbitMQ's words, "" for nothing.
type rule struct {
	argument string
	check    func(v amqp.Value, all amqp.Table) string
}

// rules are in the order in which RabbitMQ applies them.
var rules = []rule{
	{"x-expires", checkExpires},
	{"x-message-ttl", checkExpiry},
	{deadLetterArgument, checkText},
	{"x-dead-letter-routing-key", checkDeadLetterKey},
	{"x-dead-letter-strategy", oneOf("invalid_dlx_strategy", "at-most-once", "at-least-once")},
	{"x-max-length", checkCount},
	{"x-max-length-bytes", checkCount},
	{"x-max-in-memory-length", checkCount},
	{"x-max-in-memory-bytes", checkCount},
	{priorityArgument, checkPriority},
	{"x-overflow",
		oneOf("invalid_overflow", "drop-head", "reject-publish", "reject-publish-dlx")},
	{"x-queue-mode", checkMode},
	{"x-queue-version", checkVersion},
	{singleActiveArgument, checkFlag},
	{"x-quorum-initial-group-size", checkPositive},
	{holdTimeArgument, checkExpires},
	{durabilityArgument, checkDurability},
	{"x-queue-leader-locator", oneOf("invalid_queue_locator_arg",
		"client-local", "balanced", "random", "least-leaders")},
}

// checkArguments returns the type of the queue that arguments declare, or what is wrong with
// them.
func (v *VHost) checkArguments(queue string, all amqp.Table) (*queueType, *amqp.Error) {
	if len(all) == 0 {
		return queueTypes[defaultType], nil
	}
	if a, ok := all.Lookup(deadLetterArgument); ok && a.Type != amqp.TypeText {
		return nil, amqp.NewError(amqp.PreconditionFailed,
			"invalid type '%s' for arg '%s' in queue '%s' in vhost '%s'",
			exchange.TermType(a), deadLetterArgument, queue, v.name)
	}
	if err := v.apply(rule{typeArgument, checkType}, queue, all); err != nil {
		return nil, err
	}
	kind, _ := typeOf(all)
	for _, r := range rules {
		if !slices.Contains(kind.arguments, r.argument) {
			continue
		}
		if err := v.apply(r, queue, all); err != nil {
			return nil, err
		}
	}
	return kind, v.checkForeign(kind, queue, all)
}

func (v *VHost) apply(r rule, queue string, all amqp.Table) *amqp.Error {
	value, ok := all.Lookup(r.argument)
	if !ok {
		return nil
	}
	wrong := r.check(value, all)
	if wrong == "" {
		return nil
	}
	return amqp.NewError(amqp.PreconditionFailed,
		"invalid arg '%s' for queue '%s' in vhost '%s': %s",
		r.argument, queue, v.name, wrong)
}

// checkForeign refuses what only means something to other types.
func (v *VHost) checkForeign(kind *queueType, queue string, all amqp.Table) *amqp.Error {
	var err *amqp.Error
	all.Each(func(key []byte, _ amqp.Value) bool {
		if !slices.Contains(kind.arguments, string(key)) && isKnown(string(key)) {
			err = amqp.NewError(amqp.PreconditionFailed,
				"invalid arg '%s' for queue '%s' in vhost '%s' of queue type %s",
				key, queue, v.name, kind.module)
		}
		return err == nil
	})
	return err
}

func isKnown(argument string) bool {
	for _, kind := range queueTypes {
		if slices.Contains(kind.arguments, argument) {
			return true
		}
	}
	return slices.Contains(streamArguments, argument)
}

// quoted returns text as RabbitMQ prints a string inside a reply text.
func quoted(text string) string {
	printed := exchange.TermText(amqp.Value{Type: amqp.TypeText, Data: []byte(text)})
	inner := printed[len("<<") : len(printed)-len(">>")]
	if inner != "" && inner[0] == '"' {
		return inner
	}
	return "[" + inner + "]" // the numbers of what cannot be printed
}

// tuple is how a reason with a detail is printed.
func tuple(reason, detail string) string { return "{" + reason + "," + detail + "}" }

func number(reason string, n int64) string { return tuple(reason, strconv.FormatInt(n, 10)) }

func unacceptable(v amqp.Value) string { return tuple("unacceptable_type", exchange.TermType(v)) }

func checkType(v amqp.Value, _ amqp.Table) string {
	name, ok := v.Text()
	if !ok {
		return unacceptable(v)
	}
	if queueTypes[string(name)] == nil {
		return quoted("unsupported queue type '" + string(name) + "'")
	}
	return ""
}

func integer(v amqp.Value) (n int64, wrong string) {
	n, ok := v.Int64()
	if !ok {
		return 0, quoted("expected integer, got " + exchange.TermType(v))
	}
	return n, ""
}

func checkCount(v amqp.Value, _ amqp.Table) string {
	n, wrong := integer(v)
	if wrong == "" && n < 0 {
		return number("value_negative", n)
	}
	return wrong
}

func checkPositive(v amqp.Value, all amqp.Table) string {
	if n, ok := v.Int64(); ok && n == 0 {
		return number("value_zero", n)
	}
	return checkCount(v, all)
}

func checkExpiry(v amqp.Value, all amqp.Table) string {
	if n, ok := v.Int64(); ok && n > expiryMax {
		return number("value_too_large", n)
	}
	return checkCount(v, all)
}

func checkExpires(v amqp.Value, all amqp.Table) string {
	if n, ok := v.Int64(); ok && n == 0 {
		return number("value_zero", n)
	}
	return checkExpiry(v, all)
}

func checkPriority(v amqp.Value, all amqp.Table) string {
	if n, ok := v.Int64(); ok && n > priorityMax {
		return number("max_value_exceeded", n)
	}
	return checkCount(v, all)
}

func checkVersion(v amqp.Value, all amqp.Table) string {
	if n, ok := v.Int64(); ok && n >= 0 && n != 1 && n != 2 {
		return quoted("unsupported queue version '" + strconv.FormatInt(n, 10) + "'")
	}
	return checkCount(v, all)
}

func checkText(v amqp.Value, _ amqp.Table) string {
	if _, ok := v.Text(); !ok {
		return unacceptable(v)
	}
	return ""
}

func checkDeadLetterKey(v amqp.Value, all amqp.Table) string {
	if _, ok := v.Text(); !ok {
		return unacceptable(v)
	}
	if _, ok := all.Lookup(deadLetterArgument); !ok {
		return "routing_key_but_no_dlx_defined"
	}
	return ""
}

func checkFlag(v amqp.Value, _ amqp.Table) string {
	if _, ok := v.Bool(); !ok {
		return unacceptable(v)
	}
	return ""
}

func checkMode(v amqp.Value, _ amqp.Table) string {
	mode, ok := v.Text()
	switch {
	case !ok:
		return unacceptable(v)
	case string(mode) != "default" && string(mode) != "lazy":
		return quoted("unsupported queue mode '" + string(mode) + "'")
	}
	return ""
}

// oneOf returns a check for one of several texts.
func oneOf(reason string, texts ...string) func(amqp.Value, amqp.Table) string {
	return func(v amqp.Value, _ amqp.Table) string {
		text, ok := v.Text()
		switch {
		case !ok:
			return unacceptable(v)
		case !slices.Contains(texts, string(text)):
			return reason
		}
		return ""
	}
}
