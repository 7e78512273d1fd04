package management

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/warrenmq/warren/internal/exchange"
)

// defaultExchange is how the API calls the exchange without a name.
const defaultExchange = "amq.default"

// exchangeName returns the name of the exchange that a path calls so.
func exchangeName(segment string) string {
	if segment == defaultExchange {
		return ""
	}
	return segment
}

// argumentsHashLen is how many octets of a hash tell the arguments of a binding from others.
const argumentsHashLen = 12

// propertiesKey is what tells a binding from others between the same ends, in RabbitMQ's form: the
// escaped routing key, then "~" and a hash of the arguments if there are any; "~" alone for
// nothing. What the hash is made of is the server's own affair.
func propertiesKey(b *exchange.Binding) string {
	key := strings.ReplaceAll(url.QueryEscape(b.RoutingKey), "~", "%7E")
	if len(b.Arguments) == 0 {
		if key == "" {
			return "~"
		}
		return key
	}
	sum := sha256.Sum256(exchange.SortArguments(b.Arguments))
	return key + "~" + base64.RawURLEncoding.EncodeToString(sum[:argumentsHashLen])
}

// hasPropertiesKey reports whether that is the key of a binding. Clients may have unescaped it once
// more than it was escaped.
func hasPropertiesKey(b *exchange.Binding, given string) bool {
	key := propertiesKey(b)
	if key == given {
		return true
	}
	plain, err := url.QueryUnescape(key)
	return err == nil && plain == given
}
