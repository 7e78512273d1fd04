package exchange

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/warrenmq/warren/amqp"
)

const (
	delayedName         = "x-delayed-message"
	delayedTypeArgument = "x-delayed-type"
	// DelayHeader is the header that says how many milliseconds a message waits.
	DelayHeader = "x-delay"
	// DelayMax is the longest time that a message may wait, in milliseconds: 49 days.
	DelayMax = 1<<32 - 1
)

// delayedType routes like one of the other types, at the time that the message says. Keeping it
// until then is the broker's task.
func delayedType(others []Type) Type {
	return Type{
		Name: delayedName, Delays: true, New: newFanout,
		Declare: func(arguments amqp.Table) (Type, *amqp.Error) {
			v, _ := arguments.Lookup(delayedTypeArgument)
			if v.Type != amqp.TypeText && v.Type != amqp.TypeBytes {
				return Type{}, amqp.NewError(amqp.PreconditionFailed, "Invalid argument, "+
					"'x-delayed-type' must be an existing exchange type")
			}
			for _, t := range others {
				if t.Name != string(v.Data) {
					continue
				}
				t, err := t.With(arguments)
				if err != nil {
					return Type{}, err
				}
				t.Name, t.Delays, t.KeyOnly = delayedName, true, false
				return t, nil
			}
			return Type{}, amqp.NewError(amqp.CommandInvalid,
				"unknown exchange type '%s'", v.Data)
		},
	}
}

// DelayOf returns how many milliseconds a message waits in an exchange that delays, at most
// DelayMax, 0 when it does not: what its header says is missing, no number, zero, negative or
// greater. A number may be an integer, a text of digits, or any other, which is truncated.
func DelayOf(props amqp.RawProperties) int64 {
	headers := props.Headers()
	if len(headers) == 0 {
		return 0
	}
	v, _ := headers.Lookup(DelayHeader)
	if n := delay(v); n > 0 && n <= DelayMax {
		return n
	}
	return 0
}

func delay(v amqp.Value) int64 {
	if n, ok := v.Int64(); ok {
		return n
	}
	if f, ok := v.Float64(); ok {
		if math.IsNaN(f) || math.Abs(f) >= 1<<53 {
			return 0
		}
		return int64(f)
	}
	switch v.Type {
	case amqp.TypeText:
		if len(v.Data) > digitsMax {
			return 0
		}
		n, _ := strconv.ParseInt(string(v.Data), 10, 64)
		return n
	case amqp.TypeDecimal:
		d, _ := v.Any().(amqp.Decimal)
		n := int64(d.Value)
		for range d.Scale {
			n /= 10
		}
		return n
	}
	return 0
}

// digitsMax is the length of the longest text that may be an int64.
const digitsMax = 20

// AppendReleased appends the properties of a message that has waited: its delay is negative now, so
// that no other exchange delays it again, and consumers see that it was delayed.
func AppendReleased(dst []byte, props amqp.RawProperties) amqp.RawProperties {
	headers := props.Headers()
	n := -DelayOf(props)
	table := make(amqp.Table, 0, len(headers)+len(DelayHeader)+10)
	table = table.AppendWithout(headers, DelayHeader)
	if n >= math.MinInt32 {
		data := binary.BigEndian.AppendUint32(nil, uint32(n))
		table = table.AppendField(DelayHeader, amqp.Value{Type: amqp.TypeInt32, Data: data})
	} else {
		table = table.AppendInt64(DelayHeader, n)
	}
	return props.AppendEdited(dst, &amqp.Edit{SetHeaders: true, Headers: table})
}
