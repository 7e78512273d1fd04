package broker

import (
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
)

// TestVHostsAndPermissionsOutliveTheNode, and a permission opens the vhost to its user.
func TestVHostsAndPermissionsOutliveTheNode(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	if created, err := h.PutVHost("new"); !created || err != nil {
		t.Fatalf("created %v, error %v", created, err)
	}
	if created, err := h.PutVHost("new"); created || err != nil {
		t.Errorf("a second time: created %v, error %v", created, err)
	}
	if _, err := h.Open("guest", "new"); err == nil || err.Code != amqp.NotAllowed {
		t.Errorf("open to a user without permission: %v", err)
	}
	all := definition.Permission{
		User: "guest", VHost: "new", Configure: ".*", Write: ".*", Read: ".*",
	}
	if err := h.PutPermission(all); err != nil {
		t.Fatal(err)
	}
	h.shut()
	h = open(t, fs)
	a, err := h.Open("guest", "new")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.DeclareQueue(definition.Queue{Name: "q", Durable: true}); err != nil {
		t.Error(err)
	}
}
