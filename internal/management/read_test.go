package management

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/broker"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/exchange"
)

// queueInfo is what these tests read of a queue.
type queueInfo struct {
	Name, VHost            string
	Messages               int
	MessagesReady          int `json:"messages_ready"`
	MessagesUnacknowledged int `json:"messages_unacknowledged"`
	MessageStats           struct {
		Publish        int
		PublishDetails details `json:"publish_details"`
	} `json:"message_stats"`
	MessagesDetails details `json:"messages_details"`
}

type details struct {
	Rate    float64
	Avg     *float64
	Samples []struct{ Sample, Timestamp int64 }
}

// paged is a page of a list.
type paged[T any] struct {
	FilteredCount int `json:"filtered_count"`
	ItemCount     int `json:"item_count"`
	Page          int
	PageCount     int `json:"page_count"`
	PageSize      int `json:"page_size"`
	TotalCount    int `json:"total_count"`
	Items         []T
}

func names(list []queueInfo) string {
	var all []string
	for _, q := range list {
		all = append(all, q.Name)
	}
	return strings.Join(all, " ")
}

func TestPagesAreFilteredSortedAndCut(t *testing.T) {
	h := open(t)
	for i := range 25 {
		h.declare(fmt.Sprintf("queue-%02d", i))
	}
	h.declare("Other")
	h.publish("queue-07", 3)
	h.publish("queue-03", 5)
	for _, test := range []struct {
		query              string
		want               string
		filtered, pages, n int
	}{
		{"page=1&page_size=3", "Other queue-00 queue-01", 26, 9, 3},
		{"page=9&page_size=3", "queue-23 queue-24", 26, 9, 2},
		{"page=1&name=QUEUE-1&page_size=2", "queue-10 queue-11", 10, 5, 2},
		{"page=1&name=%5Equeue-.5%24&use_regex=true&pagination=false", "queue-05 queue-15",
			2, 1, 2},
		{"page=1&page_size=2&sort=messages&sort_reverse=true", "queue-03 queue-07", 26, 13, 2},
		{"page=1&page_size=2&sort=name&sort_reverse=true", "queue-24 queue-23", 26, 13, 2},
		{"page=1&page_size=2&sort=message_stats.publish&sort_reverse=true", "queue-03 queue-07",
			26, 13, 2},
		{"page=1&name=nobody", "", 0, 0, 0},
		{"page=14&page_size=2", "", 26, 13, 0}, // RabbitMQ shows the page behind a full last one
	} {
		p := get[paged[queueInfo]](h, "/api/queues?"+test.query)
		if names(p.Items) != test.want || p.FilteredCount != test.filtered ||
			p.PageCount != test.pages || p.ItemCount != test.n || p.TotalCount != 26 {
			t.Errorf("%s: %s %+v", test.query, names(p.Items), p)
		}
	}
	if all := get[[]queueInfo](h, "/api/queues/%2F?sort=messages"); len(all) != 26 ||
		all[25].Name != "queue-03" {
		t.Errorf("the list without pages: %s", names(all))
	}
}

func TestWhatIsNoPageIsRefusedInRabbitMQsWords(t *testing.T) {
	h := open(t)
	h.declare("a", "b", "c", "d")
	const invalid = `{"error":"invalid_pagination_parameters","reason":"Invalid pagination ` +
		`parameters: page number `
	const unreadable = `{"error":"bad_request","reason":"Pagination parameters are invalid"}`
	for query, want := range map[string]string{
		"page=9": `{"error":"page_out_of_range","reason":"Page out of range, page: 9 ` +
			`page size: 100, len: 4"}`,
		"page=9223372036854775807": `{"error":"page_out_of_range","reason":"Page out of range, ` +
			`page: 9223372036854775807 page size: 100, len: 4"}`,
		"page=0":                              invalid + `0, page size undefined"}`,
		"page=1&page_size=501":                invalid + `1, page size 501"}`,
		"page=1&page_size=-1":                 invalid + `1, page size -1"}`,
		"page=a":                              unreadable,
		"page=99999999999999999999":           unreadable,
		"page=1&page_size=1e3":                unreadable,
		"page=1&name=(a&use_regex=true":       unreadable,
		"page=1&name=(%3F%3Ca&use_regex=true": unreadable,
		"msg_rates_age=9999999&msg_rates_incr=1": `{"error":"invalid_range_parameters",` +
			`"reason":"Invalid range parameters: age 9999999, incr 1"}`,
		"lengths_age=-5&lengths_incr=1": `{"error":"invalid_range_parameters",` +
			`"reason":"Invalid range parameters: age -5, incr 1"}`,
	} {
		if a := h.ask("guest", "GET", "/api/queues?"+query, ""); a.status != 400 || a.body != want {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

func TestHostileQueriesCostLittle(t *testing.T) {
	h := open(t)
	h.declare(strings.Repeat("a", 250))
	for _, query := range []string{
		"page=1&use_regex=true&name=" + url.QueryEscape("(a+)+$"),
		"page=1&use_regex=true&name=" + url.QueryEscape(strings.Repeat("(a|a)*", 100)+"b"),
		"page=1&use_regex=true&name=" + strings.Repeat("a", 8<<10),
		"columns=" + strings.Repeat("a.", 5000) + "," + strings.Repeat("b,", 5000),
		"columns=nothing,arguments.nothing,message_stats.publish_details.rate.more",
		"sort=" + strings.Repeat("arguments.", 1000),
		"sort=backing_queue_status&columns=",
	} {
		begin := time.Now()
		a := h.ask("guest", "GET", "/api/queues?"+query, "")
		if a.status != 200 && a.status != 400 {
			t.Errorf("%.60s: %d %s", query, a.status, a.body)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%.60s took %v", query, took)
		}
	}
}

func TestColumnsAreThoseAskedFor(t *testing.T) {
	h := open(t)
	h.declare("q")
	h.publish("q", 2)
	for query, want := range map[string]string{
		"columns=name,messages":                 `{"name":"q","messages":2}`,
		"columns=message_stats.publish,nothing": `{"message_stats":{"publish":2}}`,
		"columns=arguments":                     `{"arguments":{}}`,
		"columns=":                              `{}`,
		"columns=arguments.a,type,arguments":    `{"type":"classic","arguments":{}}`,
		"columns=name.below,durable":            `{"name":"q","durable":false}`,
	} {
		a := h.ask("guest", "GET", "/api/queues/%2F/q?"+query, "")
		if a.body != want {
			t.Errorf("%s: %s, want %s", query, a.body, want)
		}
	}
}

func TestRatesAndSamplesAreWhatMoved(t *testing.T) {
	h := open(t, func(o *Options) { o.Interval = time.Second })
	h.Close() // from here on the test takes the samples
	h.sampler = newSampler(h.Handler)
	close(h.sampler.stopped)
	h.declare("q")
	now := time.Now().Truncate(time.Second)
	for i := range 10 {
		h.publish("q", 10)
		h.sampler.sample(now.Add(time.Duration(i-10) * time.Second))
	}
	q := get[queueInfo](h, "/api/queues/%2F/q?lengths_age=8&lengths_incr=2&msg_rates_age=5"+
		"&msg_rates_incr=1")
	if q.Messages != 100 || q.MessageStats.Publish != 100 {
		t.Errorf("100 messages are shown as %+v", q)
	}
	samples := q.MessagesDetails.Samples
	if len(samples) != 5 || samples[0].Sample != 100 || samples[4].Sample >= samples[1].Sample {
		t.Errorf("samples: %+v", samples)
	}
	if !slices.IsSortedFunc(samples, func(a, b struct{ Sample, Timestamp int64 }) int {
		return int(b.Timestamp - a.Timestamp)
	}) {
		t.Errorf("the newest sample does not come first: %+v", samples)
	}
	if len(q.MessageStats.PublishDetails.Samples) != 6 || q.MessageStats.PublishDetails.Avg == nil {
		t.Errorf("samples of publishing: %+v", q.MessageStats.PublishDetails)
	}
}

func TestRateIsRightAfterTheFirstMessages(t *testing.T) {
	h := open(t)
	h.declare("q")
	h.publish("q", 500)
	q := get[queueInfo](h, "/api/queues/%2F/q")
	if q.MessageStats.PublishDetails.Rate <= 0 || q.MessagesDetails.Rate <= 0 {
		t.Errorf("500 messages came, and the rates are %v and %v",
			q.MessageStats.PublishDetails.Rate, q.MessagesDetails.Rate)
	}
}

func TestStatisticsMayBeSwitchedOff(t *testing.T) {
	h := open(t, func(o *Options) { o.DisableStats = true })
	h.declare("q")
	h.publish("q", 1)
	const short = `{"name":"q","vhost":"/","type":"classic","durable":false,"auto_delete":false,` +
		`"exclusive":false,"arguments":{},"node":"warren@test","state":`
	for query, want := range map[string]string{
		"": short + `"live"}`,
		"?enable_queue_totals=true": short + `"running","messages":1,"messages_ready":1,` +
			`"messages_unacknowledged":0}`,
	} {
		if a := h.ask("guest", "GET", "/api/queues/%2F/q"+query, ""); a.body != want {
			t.Errorf("%q: %s", query, a.body)
		}
	}
	for _, path := range []string{"overview", "nodes", "exchanges", "vhosts", "connections"} {
		if a := h.ask("guest", "GET", "/api/"+path, ""); a.status != 200 ||
			strings.Contains(a.body, "message_stats") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestWithoutRatesNothingIsSaidOfHowMessagesMove(t *testing.T) {
	h := open(t, func(o *Options) { o.RatesMode = RatesNone })
	h.declare("q")
	h.publish("q", 3)
	for _, path := range []string{"overview", "queues", "exchanges", "vhosts", "queues/%2F/q"} {
		a := h.ask("guest", "GET", "/api/"+path, "")
		if a.status != 200 || strings.Contains(a.body, "message_stats") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if q := get[queueInfo](h, "/api/queues/%2F/q"); q.Messages != 3 || q.MessagesDetails.Rate <= 0 {
		t.Errorf("3 messages are shown as %+v", q)
	}
}

func TestBindingsAreListedByTheirEnds(t *testing.T) {
	h := open(t)
	h.declare("q")
	a := h.access()
	for _, b := range []exchange.Binding{
		{Source: "amq.topic", Destination: "q", RoutingKey: "a.b.#",
			Arguments: amqp.NewTable(map[string]any{"z": 1})},
		{Source: "amq.topic", Destination: "q"},
		{Source: "amq.topic", Destination: "amq.fanout", ToExchange: true, RoutingKey: "e2e~k"},
	} {
		if err := a.Bind(b); err != nil {
			t.Fatal(err)
		}
	}
	type binding struct {
		PropertiesKey string `json:"properties_key"`
		RoutingKey    string `json:"routing_key"`
	}
	for path, want := range map[string]int{
		"/api/bindings": 4, "/api/bindings/%2F": 4, "/api/queues/%2F/q/bindings": 3,
		"/api/exchanges/%2F/amq.topic/bindings/source":       3,
		"/api/exchanges/%2F/amq.fanout/bindings/destination": 1,
		"/api/exchanges/%2F/amq.default/bindings/source":     1,
		"/api/bindings/%2F/e/amq.topic/q/q":                  2,
		"/api/bindings/%2F/e/amq.topic/e/amq.fanout":         1,
		"/api/bindings/%2F/e/amq.direct/q/q":                 0,
	} {
		if got := get[[]binding](h, path); len(got) != want {
			t.Errorf("%s: %+v", path, got)
		}
	}
	between := "/api/bindings/%2F/e/amq.topic/q/q/"
	for _, b := range get[[]binding](h, "/api/bindings/%2F/e/amq.topic/q/q") {
		if one := get[binding](h, between+url.PathEscape(b.PropertiesKey)); one != b {
			t.Errorf("%s is %+v", b.PropertiesKey, one)
		}
	}
	for _, path := range []string{
		between + "nothing", "/api/bindings/%2F/e/nobody/q/q", "/api/bindings/%2F/e/amq.topic/q/no",
		"/api/bindings/%2F/e/amq.topic/x/q", "/api/queues/%2F/nobody/bindings",
		"/api/exchanges/%2F/nobody/bindings/source", "/api/bindings/nowhere",
	} {
		if a := h.ask("guest", "GET", path, ""); a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestNamesMayHaveAnyOctet(t *testing.T) {
	h := open(t)
	for _, name := range []string{
		"a/b", "..", ".", "50%", "a b+c", "ü\u2028<script>", `"quoted"\`, "?x=1#y", "detailed/",
	} {
		h.declare(name)
		escaped := strings.ReplaceAll(url.PathEscape(name), ".", "%2E")
		q := get[queueInfo](h, "/api/queues/%2F/"+escaped)
		if q.Name != name {
			t.Errorf("%q is shown as %q", name, q.Name)
		}
	}
}

func TestConnectionsAreSeenByTheirOwnersAndMonitors(t *testing.T) {
	connection := broker.Connection{
		ID: 7, Name: "127.0.0.1:4711 -> 127.0.0.1:5672", User: "owner", VHost: "/", Channels: 1,
		ClientProperties: amqp.NewTable(map[string]any{"connection_name": "mine"}),
	}
	channel := broker.Channel{
		ID: 8, Number: 1, Connection: connection.Name, ConnectionID: 7, User: "owner", VHost: "/",
		Stats: broker.MessageStats{Publish: 3, Confirm: 2},
	}
	h := open(t, func(o *Options) {
		o.Connections = func() []broker.Connection { return []broker.Connection{connection} }
		o.Channels = func() []broker.Channel { return []broker.Channel{channel} }
		o.Subscriptions = func() []broker.Subscription {
			return []broker.Subscription{
				{Queue: "q", VHost: "/", Tag: "t", User: "owner", ChannelID: 8},
			}
		}
	})
	h.user("owner", true, tagManagement)
	h.user("other", true, tagManagement)
	h.user("monitor", false, tagMonitoring)
	name := url.PathEscape(connection.Name)
	for _, path := range []string{
		"/api/connections", "/api/channels", "/api/consumers", "/api/vhosts/%2F/connections",
		"/api/vhosts/%2F/channels", "/api/consumers/%2F",
	} {
		for user, want := range map[string]int{"owner": 1, "other": 0, "monitor": 1, "guest": 1} {
			a := h.ask(user, "GET", path, "")
			if user == "monitor" && strings.Contains(path, "vhosts/") {
				if a.status != 401 { // RabbitMQ wants a permission for these
					t.Errorf("%s for %s: %d", path, user, a.status)
				}
				continue
			}
			if got := strings.Count(a.body, `"node"`); a.status != 200 || got != want {
				t.Errorf("%s for %s: %d, %d of them", path, user, a.status, got)
			}
		}
	}
	for _, path := range []string{
		"/api/connections/" + name, "/api/connections/" + name + "/channels",
		"/api/channels/" + url.PathEscape(channel.Name()), "/api/connections/username/owner",
	} {
		for user, want := range map[string]int{"owner": 200, "other": 401, "monitor": 200} {
			if a := h.ask(user, "GET", path, ""); a.status != want {
				t.Errorf("%s for %s: %d %s", path, user, a.status, a.body)
			}
		}
	}
	c := get[map[string]any](h, "/api/connections/"+name)
	if c["user_provided_name"] != "mine" || c["ssl"] != false || c["peer_cert_subject"] != nil {
		t.Errorf("the connection: %v", c)
	}
	for _, path := range []string{
		"/api/connections/nobody", "/api/channels/nobody", "/api/connections/nobody/channels",
		"/api/vhosts/nowhere/connections", "/api/consumers/nowhere", "/api/nodes/other@test",
	} {
		if a := h.ask("guest", "GET", path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestOverviewCountsWhatTheUserMaySee(t *testing.T) {
	h := open(t)
	if _, err := h.broker.PutVHost("other"); err != nil {
		t.Fatal(err)
	}
	h.declare("q")
	h.publish("q", 4)
	h.user("manager", true, tagManagement)
	h.user("stranger", false, tagManagement)
	type overview struct {
		QueueTotals  map[string]any `json:"queue_totals"`
		ObjectTotals map[string]int `json:"object_totals"`
		Listeners    []any
	}
	for user, want := range map[string][2]int{"manager": {1, 7}, "stranger": {0, 0}} {
		a := h.ask(user, "GET", "/api/overview", "")
		o := decoded[overview](t, a)
		if o.ObjectTotals["queues"] != want[0] || o.ObjectTotals["exchanges"] != want[1] ||
			o.Listeners != nil {
			t.Errorf("%s sees %s", user, a.body)
		}
	}
	o := get[overview](h, "/api/overview")
	if o.ObjectTotals["exchanges"] != 14 || o.QueueTotals["messages"] != 4.0 {
		t.Errorf("the administrator sees %+v", o)
	}
}

func TestQuorumQueueIsOnThisNode(t *testing.T) {
	h := open(t)
	_, err := h.access().DeclareQueue(definition.Queue{
		Name: "q", Durable: true,
		Arguments: amqp.NewTable(map[string]any{"x-queue-type": "quorum"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	q := get[map[string]any](h, "/api/queues/%2F/q")
	if q["leader"] != "warren@test" || fmt.Sprint(q["online"]) != "[warren@test]" {
		t.Errorf("the queue is on %v, %v", q["leader"], q["online"])
	}
}
