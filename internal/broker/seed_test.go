package broker

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/auth"
	"github.com/warrenmq/warren/internal/definition"
	"github.com/warrenmq/warren/internal/disk"
	"github.com/warrenmq/warren/internal/exchange"
	"github.com/warrenmq/warren/internal/store"
)

func someSeed() Seed {
	policy := definition.Policy{
		Name: "bound", ApplyTo: "queues",
		Definition: amqp.NewTable(map[string]any{"max-length": 5}),
	}
	return Seed{
		VHost: "tenant-0", Tags: []string{"management"}, Read: "^mine",
		Users: []SeedUser{
			{VHosts: "^tenant-", Name: "watcher", Password: "secret", Read: ".*"},
			{VHosts: "^other", Name: "nobody"},
		},
		Limits: []SeedLimits{
			{VHosts: "^tenant-1", Limits: definition.Limits{"max-queues": 1}},
			{Limits: definition.Limits{"max-queues": 9}},
		},
		OperatorPolicies: []SeedPolicy{{VHosts: "^tenant-1", Policy: policy}},
	}
}

// sow starts a manager with a seed.
func sow(t *testing.T, fs disk.FS, s Seed) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	st, err := store.Open(store.Options{Dir: "data", FS: fs, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Options{
		Store: st, ExchangeTypes: exchange.Standard(), Logger: log, Seed: s,
		DefaultUser: "guest", DefaultPassword: "guest",
		Auth: auth.Options{Hashing: auth.HashSHA256},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &house{Manager: m, t: t}
}

func (h *house) checkSown(when string) {
	h.t.Helper()
	all := h.account()
	for _, want := range []string{
		"user watcher",
		"[{guest tenant-0 .* .* ^mine} {watcher tenant-0   .*} {watcher tenant-1   .*}]",
		"vhost tenant-0 {Description: Tags:[] DefaultQueueType: Protected:false} " +
			"map[max-queues:9]",
		"vhost tenant-1 {Description: Tags:[] DefaultQueueType: Protected:false} " +
			"map[max-queues:1]",
	} {
		if !strings.Contains(all, want) {
			h.t.Errorf("%s there is no %q in\n%s", when, want, all)
		}
	}
	if p := h.VHost("tenant-1").OperatorPolicies(); len(p) != 1 || p[0].Name != "bound" {
		h.t.Errorf("%s: operator policies %v", when, p)
	}
	if u, _ := h.User("guest"); len(u.Tags) != 1 || u.Tags[0] != "management" {
		h.t.Errorf("%s: guest has the tags %q", when, u.Tags)
	}
	if len(h.VHosts()) != 2 || len(h.Users()) != 2 {
		h.t.Errorf("%s: %s", when, all)
	}
}

// TestANodeDeclaresWhatItsSeedSays, with each new vhost, and leaves alone what is there.
func TestANodeDeclaresWhatItsSeedSays(t *testing.T) {
	fs := disk.NewMemory()
	h := sow(t, fs, someSeed())
	h.vhost("tenant-1")
	h.checkSown("at first")
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if err := h.Login(t.Context(), "watcher", "secret", local); err != nil {
		t.Error(err)
	}
	h.shut()
	h = sow(t, fs, Seed{VHost: "another", Tags: []string{}})
	h.checkSown("after a restart with another seed")
	h.shut()
	h = sow(t, fs, someSeed())
	u, _ := h.User("watcher")
	h.must(h.VHost("tenant-1").ClearLimit("all"))
	h.vhost("tenant-1") // is there
	h.vhost("tenant-2")
	again, _ := h.User("watcher")
	same := string(u.PasswordHash) == string(again.PasswordHash)
	if len(h.VHost("tenant-1").Limits()) > 0 || !same {
		t.Error("what was there has changed")
	}
	if _, ok := h.Permission("watcher", "tenant-2"); !ok {
		t.Error("no permission in a new vhost")
	}
	h.shut()
}

func TestASeedThatMakesNoSenseIsRefused(t *testing.T) {
	for name, s := range map[string]Seed{
		"pattern":  {Users: []SeedUser{{VHosts: "((", Name: "a"}}},
		"no name":  {Users: []SeedUser{{}}},
		"limit":    {Limits: []SeedLimits{{Limits: definition.Limits{"max-channels": 1}}}},
		"policy":   {OperatorPolicies: []SeedPolicy{{Policy: definition.Policy{Name: "p"}}}},
		"patterns": {Read: "(?!a)"},
	} {
		if err := s.check(definition.New(exchange.Standard())); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
