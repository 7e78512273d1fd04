package broker

import (
	"regexp"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
)

// checkTopicPatterns refuses patterns that are none, whoever they are expanded for.
func checkTopicPatterns(p *definition.TopicPermission) *amqp.Error {
	if err := checkPatterns(p.Write, p.Read); err != nil {
		return err
	}
	for _, pattern := range []string{p.Write, p.Read} {
		if _, err := topicPattern(pattern, p.User, p.VHost); err != nil {
			return amqp.NewError(amqp.PreconditionFailed, "pattern '%s': %v", pattern, err)
		}
	}
	return nil
}

// topicPattern returns the expression that routing keys have to match: RabbitMQ's pattern with its
// variables expanded. What they stand for is taken literally, whatever it means to expressions.
// The empty pattern matches the empty key alone.
func topicPattern(pattern, user, vhost string) (*regexp.Regexp, error) {
	if pattern == "" {
		pattern = "^$"
	}
	expanded := strings.NewReplacer(
		"{username}", regexp.QuoteMeta(user), "{vhost}", regexp.QuoteMeta(vhost),
	).Replace(pattern)
	if err := auth.CheckPattern(expanded); err != nil {
		return nil, err
	}
	return regexp.Compile(expanded)
}
