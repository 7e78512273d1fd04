package broker

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

// Act gives a user access to a vhost without a connection: for one request of an operator, say.
// It counts as no connection and must not be Closed; what it declares must not be exclusive.
func (m *Manager) Act(user, vhost string) (*Access, *amqp.Error) {
	v := m.VHost(vhost)
	if v == nil {
		return nil, amqp.NewError(amqp.NotFound, "vhost %s not found", vhost)
	}
	if _, ok := m.Permission(user, vhost); !ok {
		return nil, amqp.NewError(amqp.AccessRefused,
			"access to vhost '%s' refused for user '%s'", vhost, user)
	}
	return &Access{m: m, vhost: v, user: user, id: m.accesses.Add(1)}, nil
}

// ActAsOperator is Act for somebody who needs no permission: who owns the data directory, or has
// been found to be an administrator. Such an access has no user's name.
func (m *Manager) ActAsOperator(vhost string) (*Access, *amqp.Error) {
	v := m.VHost(vhost)
	if v == nil {
		return nil, amqp.NewError(amqp.NotFound, "vhost %s not found", vhost)
	}
	return &Access{m: m, vhost: v, operator: true, id: m.accesses.Add(1)}, nil
}

// RestoreQueue is DeclareQueue of a queue that was declared before, elsewhere perhaps: its name may
// be one that a server made.
func (a *Access) RestoreQueue(d definition.Queue) (*Queue, *amqp.Error) {
	if err := a.allowed(auth.Configure, "queue", d.Name); err != nil {
		return nil, err
	}
	d.Generated = strings.HasPrefix(d.Name, "amq.")
	return a.vhost.declareQueue(d)
}

// CheckProperties refuses what RabbitMQ refuses about the properties of a message: the name of
// another user, an expiration that is no number of milliseconds, an unknown delivery mode.
func (a *Access) CheckProperties(props amqp.RawProperties) *amqp.Error {
	if user, ok := props.UserID(); ok && string(user) != a.user && !a.Impersonates() {
		return amqp.NewError(amqp.PreconditionFailed,
			"user_id property set to '%s' but authenticated user was '%s'", user, a.user)
	}
	if expiration, ok := props.Expiration(); ok {
		if err := CheckExpiration(expiration); err != nil {
			return err
		}
	}
	if mode := props.DeliveryMode(); mode > 2 {
		return amqp.NewError(amqp.PreconditionFailed,
			"invalid message: {delivery_mode_unknown,%d}", mode)
	}
	return nil
}

// expirationMax is the longest time to live in milliseconds that RabbitMQ takes: ten years.
const expirationMax = 315_360_000_000

// CheckExpiration refuses an expiration property that is no number of milliseconds, in the
// words of the Erlang functions that RabbitMQ reads it with.
func CheckExpiration(text []byte) *amqp.Error {
	refuse := func(format string, args ...any) *amqp.Error {
		return amqp.NewError(amqp.PreconditionFailed, "invalid expiration '%s': %s", text,
			fmt.Sprintf(format, args...))
	}
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' ||
		end == 0 && len(text) > 1 && (text[0] == '-' || text[0] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(string(text[:end]), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange) && n < 0:
		return refuse("{value_negative,%s}", text[:end])
	case errors.Is(err, strconv.ErrRange):
		return refuse("{value_too_large,%s}", text[:end])
	case err != nil:
		return refuse("no_integer")
	case end < len(text):
		return refuse("{leftover_string,%q}", text[end:])
	case n < 0:
		return refuse("{value_negative,%d}", n)
	case n > expirationMax:
		return refuse("{value_too_large,%d}", n)
	}
	return nil
}
