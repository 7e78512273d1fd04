package doctor

import (
	"fmt"
	"net"
	"regexp"
	"strings"
)

// rule finds one kind of trouble.
type rule struct {
	name     string
	severity Severity
	advice   string
	find     func(p *Patient, report func(object, why string))
}

const (
	near       = 0.8   // a resource is nearly used up from this part of its limit on
	backlog    = 10000 // messages that are a backlog
	churnLimit = 10    // connections opened per second that are many
)

func rules() []rule {
	return []rule{
		{"alarm", Serious, "free memory or disk, or raise the limit; publishers are held back",
			alarms},
		{"dead-letter-exchange-missing", Serious,
			"declare the exchange, or correct x-dead-letter-exchange", deadLetterMissing},
		{"alternate-exchange-missing", Serious,
			"declare the exchange, or correct alternate-exchange", alternateMissing},
		{"damaged-queue", Serious, "see warren ctl list_quarantined", damaged},
		{"no-consumers", Warning, "start a consumer, or bound the queue by max-length or " +
			"message-ttl", noConsumers},
		{"resources-near-limit", Warning, "add memory, disk or files, or lower the load",
			nearLimit},
		{"ttl-without-dead-letter", Warning, "set dead-letter-exchange if expired messages " +
			"matter", ttlWithoutDeadLetter},
		{"limit-without-dead-letter", Warning, "set dead-letter-exchange, or overflow to " +
			"reject-publish, if no message may be dropped", limitWithoutDeadLetter},
		{"policy-matches-nothing", Warning, "correct its pattern or apply-to, or clear it",
			policyMatchesNothing},
		{"unlimited-prefetch", Warning, "set a prefetch by basic.qos: all messages of the queue " +
			"may wait in this one client", unlimitedPrefetch},
		{"unroutable", Warning, "bind a queue to the exchange, or set alternate-exchange: " +
			"what is published to it is dropped", noBindings},
		{"connection-churn", Warning, "keep connections open instead of one for each message",
			churn},
		{"transient-queue", Info, "declare it durable if its messages matter", transientQueue},
		{"unbounded-queue", Info, "set max-length, max-length-bytes or message-ttl by a policy",
			unbounded},
		{"guest-user", Warning, "make users of your own and delete guest; it may connect from " +
			"this machine only, unless loopback_users says otherwise", defaultUser},
	}
}

type reporter = func(object, why string)

func alarms(p *Patient, report reporter) {
	for _, n := range p.Nodes {
		if n["mem_alarm"] == true {
			report(named("node", n), "the memory alarm is on")
		}
		if n["disk_free_alarm"] == true {
			report(named("node", n), "the disk alarm is on")
		}
	}
}

func hasGuest(p *Patient) bool {
	for _, u := range p.Users {
		if u["name"] == "guest" {
			return true
		}
	}
	return false
}

func defaultUser(p *Patient, report reporter) {
	if !hasGuest(p) {
		return
	}
	listeners, _ := p.Overview["listeners"].([]any)
	for _, l := range listeners {
		o, _ := l.(Object)
		ip := net.ParseIP(text(o, "ip_address"))
		if ip != nil && !ip.IsLoopback() {
			report(`user "guest"`, fmt.Sprintf("it exists, and %s listens beyond this machine",
				text(o, "protocol")))
			return
		}
	}
}

// exchangesByPlace are the names of exchanges in their vhosts.
func exchangesByPlace(p *Patient) map[[2]string]bool {
	known := map[[2]string]bool{}
	for _, x := range p.Exchanges {
		known[[2]string{text(x, "vhost"), text(x, "name")}] = true
	}
	return known
}

func deadLetterMissing(p *Patient, report reporter) {
	known := exchangesByPlace(p)
	for _, q := range p.Queues {
		value, ok := setting(q, "dead-letter-exchange")
		name, _ := value.(string)
		if ok && name != "" && !known[[2]string{text(q, "vhost"), name}] {
			report(named("queue", q), fmt.Sprintf("its dead-letter exchange %q does not exist: "+
				"dead letters are dropped", name))
		}
	}
}

func alternateMissing(p *Patient, report reporter) {
	known := exchangesByPlace(p)
	for _, x := range p.Exchanges {
		name, _ := inner(x, "arguments")["alternate-exchange"].(string)
		if name != "" && !known[[2]string{text(x, "vhost"), name}] {
			report(named("exchange", x), fmt.Sprintf("its alternate exchange %q does not exist",
				name))
		}
	}
}

func damaged(p *Patient, report reporter) {
	for _, q := range p.Queues {
		switch state := text(q, "state"); state {
		case "down", "crashed", "quarantined", "stopped":
			report(named("queue", q), "it is "+state)
		}
	}
}

func noConsumers(p *Patient, report reporter) {
	for _, q := range p.Queues {
		stats := inner(q, "message_stats")
		grows := number(inner(stats, "publish_details"), "rate") > 0
		count := number(q, "messages_ready")
		if number(q, "consumers") == 0 && (grows && count > 0 || count >= backlog) {
			report(named("queue", q), fmt.Sprintf("%.0f messages wait and nobody consumes",
				count))
		}
	}
}

func nearLimit(p *Patient, report reporter) {
	for _, n := range p.Nodes {
		for _, r := range []struct{ what, used, limit string }{
			{"memory", "mem_used", "mem_limit"}, {"file descriptors", "fd_used", "fd_total"},
			{"sockets", "sockets_used", "sockets_total"},
		} {
			used, limit := number(n, r.used), number(n, r.limit)
			if limit > 0 && used > near*limit {
				report(named("node", n), fmt.Sprintf("%.0f %% of its %s are used",
					100*used/limit, r.what))
			}
		}
		free, limit := number(n, "disk_free"), number(n, "disk_free_limit")
		if limit > 0 && free < limit/near && n["disk_free_alarm"] != true {
			report(named("node", n), "its disk is nearly as full as the limit allows")
		}
	}
}

func ttlWithoutDeadLetter(p *Patient, report reporter) {
	for _, q := range p.Queues {
		_, ttl := setting(q, "message-ttl")
		_, dlx := setting(q, "dead-letter-exchange")
		if ttl && !dlx && q["durable"] == true && q["auto_delete"] != true {
			report(named("queue", q), "messages expire and are dropped")
		}
	}
}

func limitWithoutDeadLetter(p *Patient, report reporter) {
	for _, q := range p.Queues {
		_, length := setting(q, "max-length")
		_, bytes := setting(q, "max-length-bytes")
		overflow, _ := setting(q, "overflow")
		_, dlx := setting(q, "dead-letter-exchange")
		rejects := strings.HasPrefix(fmt.Sprint(overflow), "reject-publish")
		if (length || bytes) && !dlx && !rejects && q["durable"] == true {
			report(named("queue", q), "the oldest messages are dropped when it is full")
		}
	}
}

func policyMatchesNothing(p *Patient, report reporter) {
	for _, policy := range p.Policies {
		pattern, err := regexp.Compile(text(policy, "pattern"))
		if err != nil {
			continue // of a dialect that RE2 is not
		}
		target := text(policy, "apply-to")
		var lists [][]Object
		if target != "exchanges" {
			lists = append(lists, p.Queues)
		}
		if target == "exchanges" || target == "all" {
			lists = append(lists, p.Exchanges)
		}
		if !matches(pattern, text(policy, "vhost"), target, lists) {
			report(named("policy", policy), "no queue or exchange has such a name")
		}
	}
}

func matches(pattern *regexp.Regexp, vhost, target string, lists [][]Object) bool {
	for _, list := range lists {
		for _, o := range list {
			kind, typed := strings.CutSuffix(target, "_queues")
			if target == "streams" {
				kind, typed = "stream", true
			}
			if typed && text(o, "type") != kind {
				continue
			}
			if text(o, "vhost") == vhost && pattern.MatchString(text(o, "name")) {
				return true
			}
		}
	}
	return false
}

func unlimitedPrefetch(p *Patient, report reporter) {
	for _, c := range p.Consumers {
		if c["ack_required"] == true && number(c, "prefetch_count") == 0 {
			q := inner(c, "queue")
			report(fmt.Sprintf("consumer %q of %s", text(c, "consumer_tag"), named("queue", q)),
				"it acknowledges and has no prefetch limit")
		}
	}
}

func noBindings(p *Patient, report reporter) {
	bound := map[[2]string]bool{}
	for _, b := range p.Bindings {
		bound[[2]string{text(b, "vhost"), text(b, "source")}] = true
	}
	for _, x := range p.Exchanges {
		name := text(x, "name")
		if name == "" || strings.HasPrefix(name, "amq.") || x["internal"] == true {
			continue
		}
		_, alternate := inner(x, "arguments")["alternate-exchange"]
		if !bound[[2]string{text(x, "vhost"), name}] && !alternate {
			report(named("exchange", x), "nothing is bound to it")
		}
	}
}

func churn(p *Patient, report reporter) {
	rates := inner(p.Overview, "churn_rates")
	if rate := number(inner(rates, "connection_created_details"), "rate"); rate > churnLimit {
		report("the broker", fmt.Sprintf("%.0f connections are opened each second", rate))
	}
}

func transientQueue(p *Patient, report reporter) {
	for _, q := range p.Queues {
		if q["durable"] == false && q["exclusive"] != true && q["auto_delete"] != true {
			report(named("queue", q), "it and its messages are gone when the node stops")
		}
	}
}

func unbounded(p *Patient, report reporter) {
	for _, q := range p.Queues {
		_, length := setting(q, "max-length")
		_, bytes := setting(q, "max-length-bytes")
		_, ttl := setting(q, "message-ttl")
		_, expires := setting(q, "expires")
		if !length && !bytes && !ttl && !expires && q["exclusive"] != true {
			report(named("queue", q), "nothing bounds its length")
		}
	}
}
