package warren_test

import (
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/warrentest"
)

// TestADrainedNodeTakesNobodyUntilItIsRevived, and a suspended one until it is resumed.
func TestADrainedNodeTakesNobodyUntilItIsRevived(t *testing.T) {
	node, err := warren.Start(t.Context(), warren.Options{
		DataDir: t.TempDir(), Listen: "127.0.0.1:0", Management: "127.0.0.1:0",
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = node.Close() }()
	post := func(verb string) int {
		url := "http://" + node.ManagementAddr().String() + "/api/warren/" + verb
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("guest", "guest")
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	refused := func() {
		t.Helper()
		if conn, err := net.Dial("tcp", node.Addr().String()); err == nil {
			_ = conn.Close()
			t.Error("a client was taken")
		}
	}
	c := warrentest.Open(t, node.Addr())
	drained := make(chan int, 1)
	go func() { drained <- post("drain") }()
	e := c.Expect(0, amqp.MethodConnectionClose).(*amqp.ConnectionClose)
	if e.ReplyText != "CONNECTION_FORCED - Node was put into maintenance mode" {
		t.Errorf("%+v", e)
	}
	c.Send(0, &amqp.ConnectionCloseOk{})
	if status := <-drained; status/100 != 2 {
		t.Errorf("drain: %d", status)
	}
	refused()
	if status := post("revive"); status/100 != 2 {
		t.Errorf("revive: %d", status)
	}
	there := warrentest.Open(t, node.Addr())
	post("listeners/suspend")
	refused()
	there.Call(1, &amqp.BasicQos{}, amqp.MethodBasicQosOk)
	post("listeners/resume")
	warrentest.Open(t, node.Addr())
}
