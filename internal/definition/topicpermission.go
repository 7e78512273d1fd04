package definition

import (
	"cmp"
	"maps"
	"slices"

	"github.com/warrenmq/warren/amqp"
)

// TopicPermission narrows what a user may do with a topic exchange, by regular expressions over
// routing keys: Write those of messages that the user publishes, Read those of bindings. Without
// one, the permission for the exchange is enough. Patterns may have {username} and {vhost} in
// them; package broker reads them.
type TopicPermission struct {
	User, VHost, Exchange, Write, Read string
}

// topics are the topic permissions, by user and vhost, and then by exchange: asking for those who
// have none is one look.
type topics map[access]map[string]TopicPermission

func (t topics) drop(gone func(*TopicPermission) bool) {
	for a, byExchange := range t {
		maps.DeleteFunc(byExchange, func(_ string, p TopicPermission) bool { return gone(&p) })
		if len(byExchange) == 0 {
			delete(t, a)
		}
	}
}

// PutTopicPermission makes a topic permission, or replaces the one of that user, vhost and
// exchange, which need not be there. It refuses with NOT_FOUND when there is no such user or vhost.
func (s *State) PutTopicPermission(p TopicPermission) *amqp.Error {
	if err := s.known(p.User, p.VHost); err != nil {
		return err
	}
	a := access{p.User, p.VHost}
	if s.topics[a] == nil {
		s.topics[a] = make(map[string]TopicPermission)
	}
	s.topics[a][p.Exchange] = p
	return nil
}

// ClearTopicPermission takes the topic permission of a user, vhost and exchange away, and reports
// whether it was there.
func (s *State) ClearTopicPermission(p TopicPermission) (existed bool) {
	a := access{p.User, p.VHost}
	_, existed = s.topics[a][p.Exchange]
	delete(s.topics[a], p.Exchange)
	if len(s.topics[a]) == 0 {
		delete(s.topics, a)
	}
	return existed
}

// TopicPermission returns the topic permission of a user for an exchange.
func (s *State) TopicPermission(user, vhost, exchange string) (TopicPermission, bool) {
	p, ok := s.topics[access{user, vhost}][exchange]
	return p, ok
}

// TopicPermissions returns all topic permissions, in the order of users, vhosts and exchanges.
func (s *State) TopicPermissions() []TopicPermission {
	var list []TopicPermission
	for _, byExchange := range s.topics {
		list = slices.AppendSeq(list, maps.Values(byExchange))
	}
	slices.SortFunc(list, func(a, b TopicPermission) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.VHost, b.VHost),
			cmp.Compare(a.Exchange, b.Exchange))
	})
	return list
}
