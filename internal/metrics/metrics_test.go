package metrics_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// scraped starts a node that serves metrics and lets some messages through.
func scraped(t testing.TB) (*warren.Node, *warrentest.Client) {
	node := warrentest.Start(t, func(o *warren.Options) { o.Metrics.Listen = "127.0.0.1:0" })
	client := warrentest.Open(t, node.Addr())
	for _, c := range []struct {
		queue     string
		arguments map[string]any
	}{
		{"plain", nil},
		{"a \"quoted\"\\name", nil},
		{"quorum", map[string]any{"x-queue-type": "quorum"}},
	} {
		client.Call(1, &amqp.QueueDeclare{
			Queue: c.queue, Durable: true, Arguments: amqp.NewTable(c.arguments),
		}, amqp.MethodQueueDeclareOk)
		for range 3 {
			client.Publish(1, "", c.queue, amqp.Properties{}, []byte("body"))
		}
		client.Call(1, &amqp.BasicGet{Queue: c.queue}, amqp.MethodBasicGetOk)
		client.Content(1)
	}
	client.Publish(1, "amq.topic", "nowhere", amqp.Properties{}, nil)
	client.Call(1, &amqp.BasicQos{PrefetchCount: 1}, amqp.MethodBasicQosOk)
	return node, client
}

// scrape asks a node, and reads the answer with Prometheus's own parser.
func scrape(t testing.TB, node *warren.Node, path string) map[string]*dto.MetricFamily {
	t.Helper()
	answer, err := http.Get("http://" + node.MetricsAddr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %s", path, answer.Status, err, body)
	}
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, body)
	}
	return families
}

// value returns the value of the series of a family with these labels.
func value(t testing.TB, families map[string]*dto.MetricFamily, name string,
	labels ...string) float64 {
	t.Helper()
	f := families[name]
	if f == nil {
		t.Fatalf("no metric %s", name)
	}
	for _, m := range f.Metric {
		pairs := []string{}
		for _, l := range m.Label {
			pairs = append(pairs, l.GetName(), l.GetValue())
		}
		if slices.Equal(pairs, append([]string{}, labels...)) {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Fatalf("%s has no series %q: %v", name, labels, f.Metric)
	return 0
}

// dashboard is what the published Overview dashboard for RabbitMQ and usual alerts read.
var dashboard = strings.Fields(`
	build_info identity_info
	queue_messages_ready queue_messages_unacked queues queues_declared_total queues_created_total
	queues_deleted_total connections connections_opened_total connections_closed_total channels
	channels_opened_total channels_closed_total global_publishers global_consumers
	global_messages_received_total global_messages_received_confirm_total
	global_messages_confirmed_total global_messages_routed_total
	global_messages_unroutable_dropped_total global_messages_unroutable_returned_total
	global_messages_delivered_total global_messages_delivered_consume_auto_ack_total
	global_messages_delivered_consume_manual_ack_total
	global_messages_delivered_get_auto_ack_total global_messages_delivered_get_manual_ack_total
	global_messages_get_empty_total global_messages_redelivered_total
	global_messages_acknowledged_total message_size_bytes process_open_fds process_max_fds
	process_resident_memory_bytes resident_memory_limit_bytes disk_space_available_bytes
	disk_space_available_limit_bytes erlang_uptime_seconds alarms_free_disk_space_watermark
	alarms_memory_used_watermark alarms_file_descriptor_limit queue_consumers
	queue_consumer_utilisation queue_head_message_timestamp auth_attempts_total
	auth_attempts_succeeded_total auth_attempts_failed_total
	global_messages_dead_lettered_expired_total global_messages_dead_lettered_maxlen_total
	global_messages_dead_lettered_rejected_total
	global_messages_dead_lettered_delivery_limit_total
	global_messages_dead_lettered_confirmed_total`)

func TestDashboardsFindWhatTheyRead(t *testing.T) {
	node, _ := scraped(t)
	families := scrape(t, node, "/metrics")
	for _, name := range dashboard {
		if families["rabbitmq_"+name] == nil {
			t.Errorf("no metric rabbitmq_%s", name)
		}
	}
	identity := families["rabbitmq_identity_info"].Metric[0]
	labels := map[string]string{}
	for _, l := range identity.Label {
		labels[l.GetName()] = l.GetValue()
	}
	if labels["rabbitmq_endpoint"] != "aggregated" || labels["rabbitmq_node"] == "" ||
		labels["rabbitmq_cluster"] == "" || labels["rabbitmq_cluster_permanent_id"] == "" {
		t.Errorf("identity: %v", labels)
	}
}

func TestWhatWasDoneIsCounted(t *testing.T) {
	node, _ := scraped(t)
	families := scrape(t, node, "/metrics")
	for _, c := range []struct {
		name   string
		want   float64
		labels []string
	}{
		{"queue_messages_ready", 6, nil},
		{"queue_messages_unacked", 3, nil},
		{"queues", 3, nil},
		{"connections", 1, nil},
		{"channels", 1, nil},
		{"global_messages_received_total", 10, []string{"protocol", "amqp091"}},
		{"global_messages_routed_total", 9, []string{"protocol", "amqp091"}},
		{"global_messages_unroutable_dropped_total", 1, []string{"protocol", "amqp091"}},
		{"global_messages_delivered_get_manual_ack_total", 2,
			[]string{"protocol", "amqp091", "queue_type", "rabbit_classic_queue"}},
		{"global_messages_delivered_total", 1,
			[]string{"protocol", "amqp091", "queue_type", "rabbit_quorum_queue"}},
		{"queues_created_total", 3, nil},
		{"auth_attempts_succeeded_total", 1, []string{"protocol", "amqp091"}},
	} {
		if got := value(t, families, "rabbitmq_"+c.name, c.labels...); got != c.want {
			t.Errorf("%s %v: %v, want %v", c.name, c.labels, got, c.want)
		}
	}
}

func TestPanelsMatchBucketsLiterally(t *testing.T) {
	node, _ := scraped(t)
	answer, err := http.Get("http://" + node.MetricsAddr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, le := range []string{
		"100.0", "1000.0", "10000.0", "100000.0", "1e+06", "1e+07", "5e+07", "1e+08", "+Inf",
	} {
		line := fmt.Sprintf(
			"rabbitmq_message_size_bytes_bucket{protocol=\"amqp091\",le=%q} 10\n", le)
		if !strings.Contains(string(body), line) {
			t.Errorf("no line %q", line)
		}
	}
}

func TestObjectsOneByOne(t *testing.T) {
	node, _ := scraped(t)
	for _, path := range []string{
		"/metrics/per-object", "/metrics/detailed?family=queue_coarse_metrics",
	} {
		prefix := "rabbitmq_"
		if strings.Contains(path, "detailed") {
			prefix = "rabbitmq_detailed_"
		}
		families := scrape(t, node, path)
		got := value(t, families, prefix+"queue_messages_ready",
			"vhost", "/", "queue", "a \"quoted\"\\name")
		if got != 2 {
			t.Errorf("%s: %v messages are ready, want 2", path, got)
		}
	}
	only := scrape(t, node,
		"/metrics/detailed?family=queue_coarse_metrics&family=vhost_status&queue=^pl&vhost=/")
	if n := len(only["rabbitmq_detailed_queue_messages"].Metric); n != 1 {
		t.Errorf("%d queues match", n)
	}
	if only["rabbitmq_cluster_vhost_status"] == nil || only["rabbitmq_detailed_channels"] != nil {
		t.Error("other families than those that were asked for")
	}
	none := scrape(t, node, "/metrics/detailed?family=queue_coarse_metrics&vhost=other")
	if n := len(none["rabbitmq_detailed_queue_messages"].GetMetric()); n != 0 {
		t.Errorf("%d queues in a vhost that is not there", n)
	}
	scrape(t, node, "/metrics/memory-breakdown")
}

func TestAPatternThatIsNoneIsRefused(t *testing.T) {
	node, _ := scraped(t)
	answer, err := http.Get("http://" + node.MetricsAddr().String() + "/metrics/detailed?queue=((")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", answer.Status)
	}
}

// BenchmarkScrape has 10,000 queues.
func BenchmarkScrape(b *testing.B) {
	node, client := scraped(b)
	for i := range 10_000 {
		client.Send(1, &amqp.QueueDeclare{Queue: fmt.Sprint("queue-", i), NoWait: true})
	}
	client.Call(1, &amqp.BasicQos{PrefetchCount: 1}, amqp.MethodBasicQosOk)
	for _, path := range []string{"/metrics", "/metrics/per-object"} {
		b.Run(path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				answer, err := http.Get("http://" + node.MetricsAddr().String() + path)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		})
	}
}
