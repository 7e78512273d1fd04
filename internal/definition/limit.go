package definition

import (
	"maps"
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// Limits bound what there may be of something, by the names of limits. A negative one is no limit.
// What is stored and returned is written to by nobody.
type Limits map[string]int64

// The names of limits.
const (
	MaxConnections = "max-connections" // users and vhosts
	MaxChannels    = "max-channels"    // users
	MaxQueues      = "max-queues"      // vhosts
)

// Of returns a limit; false: there is none.
func (l Limits) Of(name string) (limit int64, limited bool) {
	limit, limited = l[name]
	return limit, limited && limit >= 0
}

// Reached reports whether there may be no more of what there are n of, and the limit.
func (l Limits) Reached(name string, n int) (limit int64, reached bool) {
	limit, limited := l.Of(name)
	return limit, limited && int64(n) >= limit
}

// With returns the limits with more of them put over those of the same names.
func (l Limits) With(more Limits) Limits {
	all := make(Limits, len(l)+len(more))
	maps.Copy(all, l)
	maps.Copy(all, more)
	return all
}

// Without returns the limits but for the one of that name.
func (l Limits) Without(name string) Limits {
	rest := maps.Clone(l)
	delete(rest, name)
	return rest
}

// CheckUserLimits says which limit is none of users.
func CheckUserLimits(l Limits) *amqp.Error { return l.check("user", MaxConnections, MaxChannels) }

// CheckVHostLimits says which limit is none of vhosts.
func CheckVHostLimits(l Limits) *amqp.Error { return l.check("vhost", MaxConnections, MaxQueues) }

func (l Limits) check(kind string, names ...string) *amqp.Error {
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if !slices.Contains(names, name) {
			return amqp.NewError(amqp.PreconditionFailed, "a %s has no limit '%s', but %s", kind,
				name, strings.Join(names, " and "))
		}
	}
	return nil
}

// PutUserLimits gives a user these limits and no others. It refuses with NOT_FOUND when there is no
// such user.
func (s *State) PutUserLimits(user string, l Limits) *amqp.Error {
	if _, ok := s.users[user]; !ok {
		return amqp.NewError(amqp.NotFound, "no user '%s'", user)
	}
	s.userLimits[user] = maps.Clone(l)
	if len(l) == 0 {
		delete(s.userLimits, user)
	}
	return nil
}

// UserLimits returns the limits of a user.
func (s *State) UserLimits(user string) Limits { return s.userLimits[user] }

// PutLimits gives the vhost these limits and no others.
func (v *VHost) PutLimits(l Limits) {
	v.limits = maps.Clone(l)
	if len(l) == 0 {
		v.limits = nil
	}
}

// Limits returns the limits of the vhost.
func (v *VHost) Limits() Limits { return v.limits }
