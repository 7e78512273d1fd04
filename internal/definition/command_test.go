package definition

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/warrenmq/warren/amqp"
	"github.com/warrenmq/warren/internal/exchange"
)

// someCommands has one of each kind, with every field set.
func someCommands() []Command {
	arguments := amqp.NewTable(map[string]any{"a": 1, "b": "text"})
	permission := Permission{User: "u", VHost: "/", Configure: ".*", Write: "^w", Read: "r$"}
	x := Exchange{Name: "x", Type: "topic", Durable: true, AutoDelete: true, Internal: true,
		Arguments: arguments, ID: 1 << 40}
	q := Queue{ID: 1 << 40, Name: "q", Durable: true, AutoDelete: true, Exclusive: true,
		Owner: 7, Arguments: arguments}
	b := exchange.Binding{Source: "x", Destination: "y", ToExchange: true, RoutingKey: "k.#",
		Arguments: arguments}
	return []Command{
		{Kind: PutVHostKind, VHost: "/"},
		{Kind: DeleteVHostKind, VHost: "/"},
		{Kind: PutOldUserKind, User: User{"u", []byte{0, 255}, "", []string{"administrator", ""}}},
		{Kind: PutUserKind, User: User{"u", []byte{0, 255}, "argon2id", []string{"management"}}},
		{Kind: DeleteUserKind, User: User{Name: "u"}},
		{Kind: PutPermissionKind, Permission: permission},
		{Kind: ClearPermissionKind, Permission: Permission{User: "u", VHost: "/"}},
		{Kind: DeclareExchangeKind, VHost: "/", Exchange: x},
		{Kind: DeclareExchangeKind, VHost: "/", Exchange: Exchange{Name: "x", Type: "fanout"}},
		{Kind: DeleteExchangeKind, VHost: "/", Exchange: Exchange{Name: "x"}},
		{Kind: DeclareQueueKind, VHost: "/", Queue: q},
		{Kind: DeleteQueueKind, VHost: "/", Queue: Queue{Name: "q"}},
		{Kind: BindKind, VHost: "/", Binding: b},
		{Kind: UnbindKind, VHost: "/", Binding: b},
		{Kind: PutPolicyKind, VHost: "/", Policy: Policy{"p", "^q", "queues", -3, arguments}},
		{Kind: ClearPolicyKind, VHost: "/", Policy: Policy{Name: "p"}},
		{Kind: PutOperatorPolicyKind, VHost: "/", Policy: Policy{"o", "", "all", 3, arguments}},
		{Kind: ClearOperatorPolicyKind, VHost: "/", Policy: Policy{Name: "o"}},
		{Kind: PutUserLimitsKind, User: User{Name: "u"},
			Limits: Limits{MaxChannels: -1, MaxConnections: 1 << 40}},
		{Kind: PutVHostLimitsKind, VHost: "/", Limits: Limits{MaxQueues: 0}},
		{Kind: PutTopicPermissionKind, Topic: TopicPermission{"u", "/", "x", "^a", "b$"}},
		{Kind: ClearTopicPermissionKind,
			Topic: TopicPermission{User: "u", VHost: "/", Exchange: "x"}},
		{Kind: PutMetadataKind, VHost: "/",
			Metadata: Metadata{"d", []string{"t", ""}, "quorum", true}},
		{Kind: PutParameterKind, VHost: "/", Parameter: Parameter{"c", "p", `{"a":1}`}},
		{Kind: ClearParameterKind, VHost: "/", Parameter: Parameter{Component: "c", Name: "p"}},
		{Kind: PutGlobalParameterKind, Parameter: Parameter{Name: "cluster_name", Value: `"c"`}},
		{Kind: ClearGlobalParameterKind, Parameter: Parameter{Name: "cluster_name"}},
	}
}

func sameCommand(a, b Command) bool {
	return a.Kind == b.Kind && a.VHost == b.VHost && a.User.Name == b.User.Name &&
		bytes.Equal(a.User.PasswordHash, b.User.PasswordHash) &&
		strings.Join(a.User.Tags, "\x00") == strings.Join(b.User.Tags, "\x00") &&
		a.User.Algorithm == b.User.Algorithm && maps.Equal(a.Limits, b.Limits) &&
		a.Metadata.Equal(b.Metadata) && a.Topic == b.Topic && a.Parameter == b.Parameter &&
		a.Permission == b.Permission &&
		a.Exchange.Name == b.Exchange.Name && a.Exchange.Type == b.Exchange.Type &&
		a.Exchange.Durable == b.Exchange.Durable && a.Exchange.ID == b.Exchange.ID &&
		a.Exchange.AutoDelete == b.Exchange.AutoDelete &&
		a.Exchange.Internal == b.Exchange.Internal &&
		bytes.Equal(a.Exchange.Arguments, b.Exchange.Arguments) &&
		a.Queue.ID == b.Queue.ID && a.Queue.Name == b.Queue.Name &&
		a.Queue.Durable == b.Queue.Durable && a.Queue.AutoDelete == b.Queue.AutoDelete &&
		a.Queue.Exclusive == b.Queue.Exclusive && a.Queue.Owner == b.Queue.Owner &&
		a.Policy.Name == b.Policy.Name && a.Policy.Pattern == b.Policy.Pattern &&
		a.Policy.ApplyTo == b.Policy.ApplyTo && a.Policy.Priority == b.Policy.Priority &&
		bytes.Equal(a.Policy.Definition, b.Policy.Definition) &&
		bytes.Equal(a.Queue.Arguments, b.Queue.Arguments) && a.Binding.Equal(b.Binding)
}

func TestCommandsComeBackAsTheyWere(t *testing.T) {
	for _, c := range someCommands() {
		prefix := []byte("before")
		encoded := c.AppendTo(prefix)
		if !bytes.HasPrefix(encoded, prefix) {
			t.Fatalf("kind %d: does not append", c.Kind)
		}
		encoded = encoded[len(prefix):]
		got, err := DecodeCommand(encoded)
		if err != nil || !sameCommand(got, c) {
			t.Errorf("kind %d: got %+v, %v", c.Kind, got, err)
		}
		if _, err := DecodeCommand(append(encoded, 0)); err == nil {
			t.Errorf("kind %d: took a byte too many", c.Kind)
		}
		for n := range encoded {
			if _, err := DecodeCommand(encoded[:n]); err == nil {
				t.Errorf("kind %d: took %d of %d bytes", c.Kind, n, len(encoded))
			}
		}
	}
}

// The bytes are on disk: a change of them needs another version.
func TestTheFormOfCommandsDoesNotChange(t *testing.T) {
	c := Command{Kind: DeclareQueueKind, VHost: "/", Queue: Queue{
		ID: 300, Name: "q", Durable: true, Exclusive: true, Owner: 1,
		Arguments: amqp.NewTable(map[string]any{"a": true}),
	}}
	want := "\x01\x09" + "\x01/" + "\x01q" + "\x05" + "\xac\x02" + "\x01" + "\x04\x01at\x01"
	if got := string(c.AppendTo(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c = Command{Kind: PutMetadataKind, VHost: "v", Metadata: Metadata{
		Description: "d", Tags: []string{"a", "bc"}, DefaultQueueType: "quorum", Protected: true}}
	want = "\x01\x15" + "\x01v" + "\x01d" + "\x06quorum" + "\x01" + "\x02\x01a\x02bc"
	if got := string(c.AppendTo(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c = Command{Kind: PutVHostLimitsKind, VHost: "v",
		Limits: Limits{MaxQueues: 3, MaxConnections: -1}}
	want = "\x01\x16" + "\x01v" + "\x02\x0fmax-connections\x01\x0amax-queues\x06"
	if got := string(c.AppendTo(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c = Command{Kind: UnbindKind, VHost: "v", Binding: exchange.Binding{
		Source: "x", Destination: "y", ToExchange: true, RoutingKey: "k"}}
	want = "\x01\x0c" + "\x01v" + "\x01x" + "\x01y" + "\x01" + "\x01k" + "\x00"
	if got := string(c.AppendTo(nil)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A data directory of version 0.1.0 opens.
func TestCommandsOfOlderVersionsAreUnderstood(t *testing.T) {
	s := New(exchange.Standard())
	for _, b := range []string{
		"\x01\x01\x01/", "\x01\x03\x01u\x02\x00\xff\x01\x0dadministrator",
		"\x01\x05\x01u\x01/\x02.*\x02^w\x00",
	} {
		c, err := DecodeCommand([]byte(b))
		if err == nil {
			err = s.Replay(c)
		}
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
	}
	u, _ := s.User("u")
	p, _ := s.Permission("u", "/")
	if string(u.PasswordHash) != "\x00\xff" || u.Algorithm != "" ||
		!slices.Equal(u.Tags, []string{"administrator"}) || p.Write != "^w" {
		t.Errorf("%+v, %+v", u, p)
	}
}

func TestDecodeCommandRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, b := range map[string]string{
		"version":          "\x02\x01\x01/",
		"kind 0":           "\x01\x00",
		"kind":             "\x01\x0d\x01/",
		"exchange flags":   "\x01\x07\x01/\x01x\x01t\x10\x00",
		"queue flags":      "\x01\x09\x01/\x01q\x80\x01\x00\x00",
		"binding flags":    "\x01\x0b\x01/\x01x\x01y\x02\x01k\x00",
		"table":            "\x01\x0b\x01/\x01x\x01y\x00\x01k\x03\x01az",
		"huge length":      "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f/",
		"number too large": "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff/",
		"huge count":       "\x01\x03\x01u\x00\xff\xff\xff\xff\x0f",
		"vhost flags":      "\x01\x15\x01v\x00\x00\x02\x00",
		"many limits":      "\x01\x16\x01v\xff\xff\xff\xff\x0f",
	} {
		if c, err := DecodeCommand([]byte(b)); err == nil {
			t.Errorf("%s: took it for %+v", name, c)
		}
	}
}

func TestDecodedCommandsKeepNoInput(t *testing.T) {
	for _, c := range someCommands() {
		encoded := c.AppendTo(nil)
		got, err := DecodeCommand(encoded)
		if err != nil {
			t.Fatal(err)
		}
		clear(encoded)
		if !sameCommand(got, c) {
			t.Errorf("kind %d: changed with its input", c.Kind)
		}
	}
}

func FuzzDecodeCommand(f *testing.F) {
	for _, c := range someCommands() {
		f.Add(c.AppendTo(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommand(b)
		if err != nil {
			return
		}
		again, err := DecodeCommand(c.AppendTo(nil))
		if err != nil || !sameCommand(c, again) {
			t.Fatalf("%+v became %+v, %v", c, again, err)
		}
		s := New(exchange.Standard())
		s.PutVHost(c.VHost)
		_ = s.Replay(c)
	})
}

func TestReplayRefusesWhatItCannotKeep(t *testing.T) {
	s := New(exchange.Standard())
	s.PutVHost("/")
	for name, c := range map[string]Command{
		"kind": {Kind: 99, VHost: "/"},
		"exchange type": {Kind: DeclareExchangeKind, VHost: "/",
			Exchange: Exchange{Name: "x", Type: "x-unheard-of"}},
		"queue type": {Kind: DeclareQueueKind, VHost: "/", Queue: Queue{Name: "q",
			Arguments: amqp.NewTable(map[string]any{"x-queue-type": "ring"})}},
		"binding arguments": {Kind: BindKind, VHost: "/", Binding: exchange.Binding{
			Source: "amq.headers", Destination: "amq.fanout", ToExchange: true,
			Arguments: amqp.NewTable(map[string]any{"x-match": "most"})}},
		"default exchange": {Kind: BindKind, VHost: "/", Binding: exchange.Binding{
			Destination: "amq.fanout", ToExchange: true}},
	} {
		if err := s.Replay(c); err == nil {
			t.Errorf("%s: replayed", name)
		}
	}
	if v, _ := s.VHost("/"); len(v.Exchanges()) != len(predeclared) || len(v.Bindings()) != 0 {
		t.Error("a refused command left something")
	}
}

func TestReplayLeavesThePredeclaredExchanges(t *testing.T) {
	s := New(exchange.Standard())
	s.PutVHost("/")
	v, _ := s.VHost("/")
	for _, p := range predeclared {
		x := Exchange{Name: p.name}
		err := s.Replay(Command{Kind: DeleteExchangeKind, VHost: "/", Exchange: x})
		if _, ok := v.Exchange(p.name); !ok || err != nil {
			t.Errorf("%q: there %v, error %v", p.name, ok, err)
		}
	}
}

func TestAppendToPanicsOnNoKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("wrote a command of no kind")
		}
	}()
	Command{}.AppendTo(nil)
}
