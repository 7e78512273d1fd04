package auth

import (
	"regexp"
	"strings"

	"github.com/warrenmq/warren/internal/pattern"
)

// ExpandTopic returns the expression that a topic permission means for a user in a vhost: its
// variables {username} and {vhost} stand for these names, taken literally, whatever they mean to
// expressions. The empty pattern matches the empty routing key alone.
func ExpandTopic(pattern, user, vhost string) string {
	if pattern == "" {
		return "^$"
	}
	return strings.NewReplacer(
		"{username}", regexp.QuoteMeta(user), "{vhost}", regexp.QuoteMeta(vhost),
	).Replace(pattern)
}

// nothing is an expression that matches no text at all.
const nothing = `[^\x00-\x{10FFFF}]`

// Topics returns the expression that routing keys have to match by a topic permission. A pattern
// that is none matches nothing.
func (a *Internal) Topics(text, user, vhost string) *pattern.Pattern {
	if topics := a.compiled(ExpandTopic(text, user, vhost)); topics != nil {
		return topics
	}
	return a.compiled(nothing)
}
