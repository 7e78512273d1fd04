package definition

import (
	"slices"
	"strconv"
	"strings"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// The keys of policies that the effective settings are made of. An argument of a queue has the
// same name after "x-".
const (
	messageTTLKey      = "message-ttl"
	expiresKey         = "expires"
	maxLengthKey       = "max-length"
	maxBytesKey        = "max-length-bytes"
	overflowKey        = "overflow"
	deliveryLimitKey   = "delivery-limit"
	consumerTimeoutKey = "consumer-timeout"
	deadLetterKey      = "dead-letter-exchange"
	deadLetterToKey    = "dead-letter-routing-key"
	strategyKey        = "dead-letter-strategy"
	alternateKey       = "alternate-exchange"
	durabilityKey      = "durability"
)

// policyKey is something that a policy may set.
type policyKey struct {
	name string
	// fits tells whether the value makes sense. nil: checkMirroring does it for the whole policy.
	fits func(amqp.Value) bool
	// wrong is what RabbitMQ says of a value that does not, after the value.
	wrong string
	// operator: operator policies may set it, too.
	operator bool
	// merge makes one number of two that are set. nil: the number is not merged.
	merge func(a, b int64) int64
	// except are the types of queues that do not take it. A policy that sets it does not match
	// these at all, whatever else it sets.
	except kinds
}

// policyKeys are the keys that RabbitMQ has for queues and exchanges, whether they mean
// something here or not, and durability.
var policyKeys = []policyKey{
	{name: alternateKey, fits: isText, wrong: " is not a valid alternate exchange name"},
	{name: deadLetterKey, fits: isText, wrong: " is not a valid dead letter exchange name"},
	{name: deadLetterToKey, fits: isText, wrong: " is not a valid dead letter routing key"},
	{name: strategyKey, fits: isOneOf("at-most-once", "at-least-once"),
		wrong: " is not a valid dead letter strategy", except: onClassic},
	{name: messageTTLKey, fits: isAtLeast(0), wrong: " is not a valid message TTL",
		operator: true, merge: minimum},
	{name: expiresKey, fits: isAtLeast(1), wrong: " is not a valid queue expiry",
		operator: true, merge: minimum},
	{name: maxLengthKey, fits: isAtLeast(0), wrong: " is not a valid maximum length",
		operator: true, merge: minimum},
	{name: maxBytesKey, fits: isAtLeast(0), wrong: " is not a valid maximum length in bytes",
		operator: true, merge: minimum},
	{name: "max-in-memory-length", fits: isAtLeast(0),
		wrong: " is not a valid maximum memory in bytes", operator: true, merge: minimum},
	{name: "max-in-memory-bytes", fits: isAtLeast(0),
		wrong: " is not a valid maximum memory in bytes", operator: true, merge: minimum},
	{name: "queue-mode", fits: isOneOf("default", "lazy"),
		wrong: " is not a valid queue-mode value", except: onQuorum},
	{name: "queue-version", fits: isVersion, wrong: " is not a valid queue-version value"},
	{name: overflowKey, fits: isOneOf("drop-head", "reject-publish", "reject-publish-dlx"),
		wrong: " is not a valid overflow value"},
	{name: deliveryLimitKey, fits: isAtLeast(-1), wrong: " is not a valid delivery limit",
		operator: true, merge: stricter, except: onClassic},
	{name: consumerTimeoutKey, fits: isAtLeast(1), wrong: " is not a valid consumer timeout"},
	{name: durabilityKey, fits: isOneOf(string(Fsync), string(OS)),
		wrong: " is not a valid durability"},
	{name: "max-age", fits: isAge, wrong: " is not a valid max age", except: onQueues},
	{name: "stream-max-segment-size-bytes", fits: isSegmentSize,
		wrong: " is not a valid segment size", except: onQueues},
	{name: "initial-cluster-size", fits: isAtLeast(0), wrong: " is not a valid cluster size",
		except: onQueues},
	{name: "queue-leader-locator",
		fits:  isOneOf("client-local", "balanced", "random", "least-leaders"),
		wrong: " is not a valid queue leader locator value", except: onClassic},
	{name: "queue-master-locator", fits: isOneOf("min-masters", "client-local", "random"),
		wrong: " invalid queue-master-locator value", except: onQuorum},
	{name: haMode, except: onQuorum},
	{name: haParams, except: onQuorum},
	{name: haSyncMode, except: onQuorum},
	{name: haSyncBatchSize},
	{name: haPromoteOnShutdown, except: onQuorum},
	{name: haPromoteOnFailure, except: onQuorum},
}

func policyKeyOf(name string) (known policyKey, ok bool) {
	i := slices.IndexFunc(policyKeys, func(k policyKey) bool { return k.name == name })
	if i < 0 {
		return policyKey{}, false
	}
	return policyKeys[i], true
}

// checkSettings says what is wrong with the settings of a policy, in RabbitMQ's words, "" for
// nothing.
func checkSettings(settings amqp.Table, operator bool) (wrong string) {
	var unknown []string
	count := 0
	settings.Each(func(key []byte, v amqp.Value) bool {
		count++
		known, ok := policyKeyOf(string(key))
		switch {
		case !ok || operator && !known.operator:
			unknown = append(unknown, "{"+exchange.TermText(textValue(key))+","+jsonTerm(v)+"}")
		case wrong == "" && known.fits != nil && !known.fits(v):
			wrong = jsonTerm(v) + known.wrong
		}
		return true
	})
	switch {
	case count == 0:
		return "no policy provided"
	case wrong != "":
		return wrong
	case len(unknown) > 0:
		return "[" + strings.Join(unknown, ",") + "] are not recognised policy settings"
	}
	return checkMirroring(settings)
}

func textValue(b []byte) amqp.Value { return amqp.Value{Type: amqp.TypeText, Data: b} }

// jsonTerm returns a value that came as JSON as RabbitMQ prints it.
func jsonTerm(v amqp.Value) string {
	var parts []string
	if t, ok := v.Table(); ok {
		t.Each(func(key []byte, field amqp.Value) bool {
			parts = append(parts, exchange.TermText(textValue(key))+" => "+jsonTerm(field))
			return true
		})
		return "#{" + strings.Join(parts, ",") + "}"
	}
	switch v.Type {
	case amqp.TypeVoid:
		return "null"
	case amqp.TypeArray:
		v.Each(func(element amqp.Value) bool {
			parts = append(parts, jsonTerm(element))
			return true
		})
		return "[" + strings.Join(parts, ",") + "]"
	}
	return exchange.TermText(v)
}

func isText(v amqp.Value) bool {
	_, ok := v.Text()
	return ok
}

func isOneOf(texts ...string) func(amqp.Value) bool {
	return func(v amqp.Value) bool {
		text, ok := v.Text()
		return ok && slices.Contains(texts, string(text))
	}
}

func isAtLeast(least int64) func(amqp.Value) bool {
	return func(v amqp.Value) bool {
		n, ok := v.Int64()
		return ok && n >= least
	}
}

func isVersion(v amqp.Value) bool {
	n, ok := v.Int64()
	return ok && (n == 1 || n == 2)
}

// isSegmentSize: of a stream, up to 3 GB.
func isSegmentSize(v amqp.Value) bool {
	n, ok := v.Int64()
	return ok && n >= 0 && n <= 3_000_000_000
}

// isAge: a number and its unit, from years to seconds.
func isAge(v amqp.Value) bool {
	text, ok := v.Text()
	if !ok || len(text) == 0 || !strings.Contains("YMDhms", string(text[len(text)-1:])) {
		return false
	}
	n, err := strconv.ParseUint(string(text[:len(text)-1]), 10, 63)
	return err == nil && n > 0
}

func minimum(a, b int64) int64 { return min(a, b) }

// stricter: the limit that returns less, where a negative one is none.
func stricter(a, b int64) int64 {
	if a < 0 || b < 0 {
		return max(a, b)
	}
	return min(a, b)
}
