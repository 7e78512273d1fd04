package control

import (
	"strings"
	"testing"

	"github.com/warrenmq/warren/internal/broker"
)

func TestQuarantinedQueuesAreListedAndAccepted(t *testing.T) {
	n := node(t)
	if r := n.Answer(Request{Verb: "list_quarantined"}); r.Error != "" || len(r.Rows) != 0 {
		t.Errorf("of a node that is well: %+v", r)
	}
	q := n.Broker.VHost("/").Queues()[0]
	accept := Request{Verb: "accept_queue", Arguments: []string{q.Name()}}
	if r := n.Answer(accept); !strings.Contains(r.Error, "is not quarantined") {
		t.Errorf("accepted: %+v", r)
	}
	q.SetFlow(broker.FlowQuarantined, "a file is damaged")
	r := n.Answer(Request{Verb: "list_quarantined"})
	if len(r.Rows) != 1 || r.Rows[0][0] != "/" || r.Rows[0][1] != q.Name() ||
		r.Rows[0][2] != "a file is damaged" {
		t.Errorf("%+v", r)
	}
	if r := n.Answer(accept); r.Error != "" || r.Rows[0][1] != 0 {
		t.Errorf("not accepted: %+v", r)
	}
	if r := n.Answer(Request{Verb: "list_quarantined"}); len(r.Rows) != 0 {
		t.Errorf("after that: %+v", r)
	}
	for _, wrong := range []Request{
		{Verb: "accept_queue"}, {Verb: "accept_queue", Arguments: []string{"none"}},
		{Verb: "accept_queue", VHost: "none", Arguments: []string{q.Name()}},
		{Verb: "list_quarantined", Columns: []string{"none"}},
	} {
		if r := n.Answer(wrong); r.Error == "" {
			t.Errorf("%+v is answered: %+v", wrong, r)
		}
	}
}
