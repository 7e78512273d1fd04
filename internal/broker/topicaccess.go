package broker

import (
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/pattern"
)

// checkTopicPatterns refuses patterns that are none once they are expanded.
func checkTopicPatterns(p *definition.TopicPermission) *amqp.Error {
	if err := checkPatterns(p.Write, p.Read); err != nil {
		return err
	}
	return checkPatterns(auth.ExpandTopic(p.Write, p.User, p.VHost),
		auth.ExpandTopic(p.Read, p.User, p.VHost))
}

// topics returns what the routing keys have to match that the user uses with an exchange, if that
// is a topic exchange; nil: all are good.
func (a *Access) topics(p auth.Permission, exchange string) *pattern.Pattern {
	if a.operator {
		return nil
	}
	a.m.mu.RLock()
	permission, ok := a.m.state.TopicPermission(a.user, a.vhost.name, exchange)
	a.m.mu.RUnlock()
	if !ok {
		return nil
	}
	text := permission.Write
	if p == auth.Read {
		text = permission.Read
	}
	return a.m.auth.Topics(text, a.user, a.vhost.name)
}

// mayWriteTopic checks the routing key of a message for an exchange, if that is a topic exchange.
func (a *Access) mayWriteTopic(topics *pattern.Pattern, exchange, key []byte) *amqp.Error {
	if topics.Match(key) || !a.vhost.hasTopics(exchange) {
		return nil
	}
	return a.topicRefused(string(exchange), string(key))
}

// mayReadTopic checks the routing key of a binding.
func (a *Access) mayReadTopic(exchange, key string) *amqp.Error {
	topics := a.topics(auth.Read, exchange)
	if topics == nil || topics.MatchString(key) || !a.vhost.hasTopics([]byte(exchange)) {
		return nil
	}
	return a.topicRefused(exchange, key)
}

func (a *Access) topicRefused(exchange, key string) *amqp.Error {
	return amqp.NewError(amqp.AccessRefused,
		"access to topic '%s' in exchange '%s' in vhost '%s' refused for user '%s'", key, exchange,
		a.vhost.name, a.user)
}

// hasTopics tells whether topic permissions count for an exchange.
func (v *VHost) hasTopics(exchange []byte) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	t := v.definitions.TypeOf(string(exchange))
	return t != nil && t.Topics
}
