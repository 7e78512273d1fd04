package exchange

import (
	"math"

	"github.com/warrenmq/warren/amqp"
)

const (
	historyLengthArgument = "x-recent-history-length"
	noStoreHeader         = "x-recent-history-no-store"
	// historyLength is how many messages are kept when nothing is said.
	historyLength = 20
)

// recentHistoryType is a fanout whose last messages are kept, and given to who is bound later.
// Keeping them is the broker's task.
func recentHistoryType() Type {
	t := Type{
		Name: "x-recent-history", KeyOnly: true, History: historyLength, New: newFanout,
	}
	t.Declare = func(arguments amqp.Table) (Type, *amqp.Error) {
		declared := t
		v, ok := arguments.Lookup(historyLengthArgument)
		if !ok {
			return declared, nil
		}
		n, ok := v.Int64()
		if !ok || n < 1 {
			return Type{}, amqp.NewError(amqp.PreconditionFailed, "Invalid argument %s, "+
				"'x-recent-history-length' must be a positive integer", TermText(v))
		}
		declared.History = int(min(n, math.MaxInt32))
		return declared, nil
	}
	return t
}

// InHistory tells whether a message wants to be kept by the exchanges that keep what goes through
// them.
func InHistory(props amqp.RawProperties) bool {
	v, _ := props.Headers().Lookup(noStoreHeader)
	not, _ := v.Bool()
	return !not
}
