package broker

import (
	"fmt"
	"slices"
	"strings"
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

// account lists everything that is declared around exchanges and queues.
func (h *house) account() string {
	var out strings.Builder
	for _, u := range h.Users() {
		if u.Name != "guest" { // whose hash is another one each time
			fmt.Fprintf(&out, "user %s %x %s %s %v\n", u.Name, u.PasswordHash, u.Algorithm, u.Tags,
				h.UserLimits(u.Name))
		}
	}
	fmt.Fprintln(&out, h.Permissions(), h.TopicPermissions(), h.GlobalParameters())
	for _, v := range h.VHosts() {
		fmt.Fprintf(&out, "vhost %s %+v %v %v\n", v.name, v.Metadata(), v.Limits(), v.Parameters())
	}
	return out.String()
}

// must fails for what was refused.
func (h *house) must(errs ...*amqp.Error) {
	h.t.Helper()
	for _, err := range errs {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// settle declares one of everything, and takes some of it away again.
func (h *house) settle() {
	h.t.Helper()
	for _, name := range []string{"alice", "bob", "carol"} {
		_, err := h.PutUser(definition.User{
			Name: name, PasswordHash: []byte(name), Algorithm: "argon2id",
			Tags: []string{"management"},
		})
		h.must(err)
		h.must(h.PutPermission(definition.Permission{User: name, VHost: "/", Read: ".*"}))
		h.must(h.PutTopicPermission(definition.TopicPermission{
			User: name, VHost: "/", Exchange: "amq.topic", Write: "^{username}", Read: "",
		}))
		h.must(h.PutUserLimits(name, definition.Limits{"max-connections": 3, "max-channels": 5}))
	}
	_, err := h.PutVHost("v")
	h.must(err)
	v := h.VHost("v")
	h.must(h.DeleteUser("bob"), h.ClearPermission("carol", "/"),
		h.ClearTopicPermission("carol", "/", "amq.topic"), h.ClearUserLimit("carol", "all"),
		h.PutUserLimits("alice", definition.Limits{"max-channels": 7}),
		h.ClearUserLimit("alice", "max-connections"),
		v.PutMetadata(definition.Metadata{
			Description: "d", Tags: []string{"t"}, DefaultQueueType: "quorum", Protected: true,
		}),
		v.PutLimits(definition.Limits{"max-queues": 5, "max-connections": 2}),
		v.PutLimit("max-queues", 6), v.ClearLimit("max-connections"))
	for _, name := range []string{"kept", "cleared"} {
		_, err := v.PutParameter(definition.Parameter{
			Component: "shovel", Name: name, Value: `{"a":[1,null]}`,
		})
		h.must(err)
		_, err = h.PutGlobalParameter(definition.Parameter{Name: name, Value: `"text"`})
		h.must(err)
	}
	h.must(v.ClearParameter("shovel", "cleared"), h.ClearGlobalParameter("cleared"))
}

const settled = `user alice 616c696365 argon2id [management] map[max-channels:7]
user carol 6361726f6c argon2id [management] map[]
[{alice /   .*} {guest / .* .* .*}] [{alice / amq.topic ^{username} }] [{ kept "text"}]
vhost / {Description: Tags:[] DefaultQueueType: Protected:false} map[] []
vhost v {Description:d Tags:[t] DefaultQueueType:quorum Protected:true} map[max-queues:6] ` +
	`[{shovel kept {"a":[1,null]}}]
`

func TestWhatOperatorsDeclareIsOnStableStorage(t *testing.T) {
	fs := disk.NewMemory()
	h := open(t, fs)
	h.settle()
	if got := h.account(); got != settled {
		t.Errorf("declared:\n%s\nwant\n%s", got, settled)
	}
	for seed := range uint64(10) {
		after := open(t, fs.Crash(seed))
		if got := after.account(); got != settled {
			t.Fatalf("after a crash (seed %d):\n%s\nwant\n%s", seed, got, settled)
		}
		after.shut()
	}
	h.shut()
	h = open(t, fs)
	if got := h.account(); got != settled {
		t.Errorf("after a restart:\n%s\nwant\n%s", got, settled)
	}
}

func TestWhatOperatorsCannotDeclare(t *testing.T) {
	h := open(t, disk.NewMemory())
	v := h.VHost("/")
	h.user("somebody-called", "", "", "")
	second := func(_ bool, err *amqp.Error) *amqp.Error { return err }
	topic := definition.TopicPermission{User: "guest", VHost: "/", Exchange: "x"}
	for name, c := range map[string]struct {
		err  *amqp.Error
		code uint16
	}{
		"user without a name": {second(h.PutUser(definition.User{})), amqp.PreconditionFailed},
		"vhost with a long name": {second(h.PutVHost(strings.Repeat("v", nameMax+1))),
			amqp.PreconditionFailed},
		"no user":             {h.DeleteUser("nobody"), amqp.NotFound},
		"no vhost":            {h.DeleteVHost("none"), amqp.NotFound},
		"no permission":       {h.ClearPermission("guest", "none"), amqp.NotFound},
		"no topic permission": {h.ClearTopicPermission("guest", "/", "x"), amqp.NotFound},
		"limits of nobody":    {h.PutUserLimits("nobody", nil), amqp.NotFound},
		"no such limit of users": {
			h.PutUserLimits("guest", definition.Limits{"max-queues": 1}), amqp.PreconditionFailed},
		"no such limit of vhosts": {
			v.PutLimit("max-channels", 1), amqp.PreconditionFailed},
		"no queue type": {v.PutMetadata(definition.Metadata{DefaultQueueType: "ring"}),
			amqp.PreconditionFailed},
		"permission for nobody": {
			h.PutPermission(definition.Permission{User: "nobody", VHost: "/"}), amqp.NotFound},
		"permission in no vhost": {
			h.PutPermission(definition.Permission{User: "guest", VHost: "none"}), amqp.NotFound},
		"pattern": {h.PutPermission(definition.Permission{User: "guest", VHost: "/", Read: "(("}),
			amqp.PreconditionFailed},
		"topic pattern": {h.PutTopicPermission(definition.TopicPermission{
			User: "guest", VHost: "/", Read: "(?!a)"}), amqp.PreconditionFailed},
		"topic pattern that gets too long": {h.PutTopicPermission(definition.TopicPermission{
			User: "somebody-called", VHost: "/", Write: strings.Repeat("{username}", 400),
		}), amqp.PreconditionFailed},
		"topic permission in no vhost": {h.PutTopicPermission(definition.TopicPermission{
			User: "guest", VHost: "none"}), amqp.NotFound},
		"parameter that is not JSON": {second(v.PutParameter(definition.Parameter{
			Component: "c", Name: "p", Value: "{"})), amqp.PreconditionFailed},
		"parameter that is too long": {second(h.PutGlobalParameter(definition.Parameter{
			Name: "p", Value: `"` + strings.Repeat("p", 1<<20) + `"`})), amqp.PreconditionFailed},
		"no parameter":        {v.ClearParameter("c", "p"), amqp.NotFound},
		"no global parameter": {h.ClearGlobalParameter("p"), amqp.NotFound},
		"nothing wrong":       {h.PutTopicPermission(topic), 0},
	} {
		switch {
		case c.err == nil && c.code != 0, c.err != nil && c.err.Code != c.code:
			t.Errorf("%s: %v, want %d", name, c.err, c.code)
		}
	}
}

// TestAUserKeepsLimitsAndPermissionsWithANewPassword, and loses both with the end.
func TestAUserKeepsLimitsAndPermissionsWithANewPassword(t *testing.T) {
	h := open(t, disk.NewMemory())
	h.settle()
	if created, err := h.PutUser(definition.User{Name: "alice"}); created || err != nil {
		t.Fatalf("created %v, error %v", created, err)
	}
	if _, ok := h.Permission("alice", "/"); !ok || h.UserLimits("alice")["max-channels"] != 7 {
		t.Error("lost with the password")
	}
	h.must(h.DeleteUser("alice"))
	_, err := h.PutUser(definition.User{Name: "alice"})
	h.must(err)
	_, ok := h.Permission("alice", "/")
	alices := func(p definition.TopicPermission) bool { return p.User == "alice" }
	if ok || len(h.UserLimits("alice")) > 0 || slices.ContainsFunc(h.TopicPermissions(), alices) {
		t.Error("somebody of that name inherits")
	}
}
