package definition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/warrenmq/warren/internal/queue"
)

// policies runs the commands of stories that are about policies.
func (s *story) policies(t *testing.T, d *datadriven.TestData, a *arguments) string {
	put, take, list := s.vhost.PutPolicy, s.vhost.ClearPolicy, s.vhost.Policies
	if a.has("operator") {
		put, take = s.vhost.PutOperatorPolicy, s.vhost.ClearOperatorPolicy
		list = s.vhost.OperatorPolicies
	}
	switch d.Cmd {
	case "put-policy":
		p := Policy{Name: a.name, Pattern: a.text("pattern"), ApplyTo: a.text("apply-to"),
			Definition: a.table}
		if text := a.text("priority"); text != "" {
			var err error
			if p.Priority, err = strconv.ParseInt(text, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		affected, err := put(p)
		if err != nil {
			return err.Text + "\n"
		}
		return describeAffected(affected)
	case "clear-policy":
		affected, existed := take(a.name)
		if !existed {
			return "no such policy\n"
		}
		return describeAffected(affected)
	case "effective":
		return describeEffective(s.vhost, a.name)
	}
	var out strings.Builder
	for _, p := range list() {
		fmt.Fprintf(&out, "%s pattern=%q priority=%d apply-to=%s%s\n", p.Name, p.Pattern,
			p.Priority, p.ApplyTo, fields(p.Definition))
	}
	return out.String()
}

func describeAffected(a Affected) string {
	slices.Sort(a.Queues)
	all := a.Queues
	if a.Exchanges {
		all = append(all, "(exchanges)")
	}
	if len(all) == 0 {
		return "affects nothing\n"
	}
	return "affects " + strings.Join(all, " ") + "\n"
}

func describeEffective(v *VHost, name string) string {
	e, ok := v.Effective(name)
	if !ok {
		return "no such queue\n"
	}
	var parts []string
	number := func(name string, n, plain int64) {
		if n != plain {
			parts = append(parts, name+"="+strconv.FormatInt(n, 10))
		}
	}
	number("message-ttl", e.MessageTTL, queue.None)
	number("expires", e.Expires, queue.None)
	number("max-length", e.MaxLength, queue.None)
	number("max-length-bytes", e.MaxBytes, queue.None)
	number("delivery-limit", e.DeliveryLimit, queue.None)
	number("consumer-timeout", e.ConsumerTimeout, queue.None)
	number("max-priority", int64(e.MaxPriority), 0)
	flag := func(name string, set bool) {
		if set {
			parts = append(parts, name)
		}
	}
	flag("single-active", e.SingleActive)
	flag("counts-deliveries", e.CountsDeliveries)
	flag("reject-publish", e.Overflow == queue.RejectPublish)
	flag("reject-publish-dlx", e.Overflow == queue.RejectPublishDeadLetter)
	flag(fmt.Sprintf("to=%q", e.DeadLetterExchange), e.DeadLetters != queue.NoDeadLetters)
	flag(fmt.Sprintf("key=%q", e.DeadLetterKey), e.HasDeadLetterKey)
	flag("at-least-once", e.DeadLetters == queue.AtLeastOnce)
	flag(string(e.Durability), e.Durability != Fsync)
	flag("policy="+e.Policy, e.Policy != "")
	flag("operator="+e.OperatorPolicy, e.OperatorPolicy != "")
	flag("plain", len(parts) == 0)
	text := strings.Join(parts, " ") + "\n"
	if t := v.EffectivePolicy(name); len(t) > 0 {
		text += "by policy:" + fields(t) + "\n"
	}
	return text
}
