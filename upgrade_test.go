package warren_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/warrenmq/warren"
	"github.com/warrenmq/warren/internal/apiclient"
	"github.com/warrenmq/warren/internal/protocol/control"
	"github.com/warrenmq/warren/internal/store"
	"github.com/warrenmq/warren/internal/warrentest"
)

// unpack returns a data directory that an older warren left, as it is in testdata.
func unpack(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for in := tar.NewReader(plain); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(in)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(h.Name)), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// operator asks the node of a data directory as its operator.
func operator(t *testing.T, dir string) *apiclient.Client {
	t.Helper()
	api, err := apiclient.New(apiclient.Options{Dial: control.Dialer(dir)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

// TestADataDirectoryOfThePreviousVersionOpens starts a node on what warren 0.1.0 left: users,
// permissions, two vhosts, a policy, exchanges, bindings, queues with messages in the log and in
// many segments. The second time it starts on what this version made of it.
func TestADataDirectoryOfThePreviousVersionOpens(t *testing.T) {
	dir := unpack(t, "testdata/upgrade/v0.1.0.tar.gz")
	for taken := range 2 {
		node := warrentest.Start(t, func(o *warren.Options) { o.DataDir = dir })
		checkOld(t, operator(t, dir), taken)
		if err := node.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkOld looks for what is in the data directory of 0.1.0, after so many messages were taken from
// each queue "kept"; and takes one.
func checkOld(t *testing.T, api *apiclient.Client, taken int) {
	t.Helper()
	ctx := t.Context()
	login := map[string]string{"username": "operator", "password": "secret of old"}
	if err := api.Post(ctx, "/warren/authenticate", login, nil); err != nil {
		t.Errorf("the user of old cannot log in: %v", err)
	}
	login["password"] = "wrong"
	if err := api.Post(ctx, "/warren/authenticate", login, nil); err == nil {
		t.Error("the user of old can log in with a wrong password")
	}
	for _, vhost := range []string{"/", "shop"} {
		checkOldQueues(ctx, t, api, vhost, taken)
		var got []struct{ Payload string }
		err := api.Post(ctx, apiclient.Path("queues", vhost, "kept", "get"), map[string]any{
			"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto",
		}, &got)
		want := fmt.Sprintf("order %d", 10+taken)
		if err != nil || len(got) != 1 || got[0].Payload != want {
			t.Errorf("vhost %s: the next message is %v, want %s, %v", vhost, got, want, err)
		}
	}
	var definitions []byte
	if err := api.Get(ctx, "/definitions", &definitions); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"name":"operator"`, `"administrator"`, `"name":"dead"`, `"durability":"os"`,
		`"pattern":"^ranked$"`, `"priority":3`, `"routing_key":"order.#"`, `"x-delivery-limit":5`,
		`"x-max-priority":5`, `"x-dead-letter-routing-key":"dead"`, `"type":"topic"`,
	} {
		if !strings.Contains(string(definitions), part) {
			t.Errorf("no %s in %s", part, definitions)
		}
	}
}

func checkOldQueues(
	ctx context.Context, t *testing.T, api *apiclient.Client, vhost string, taken int,
) {
	t.Helper()
	want := map[string]int{
		"churned": 100, "kept": 30 - taken, "quorum": 40, "ranked": 5, "limited": 60,
	}
	for name, count := range want {
		var q struct {
			Messages int
			State    string
		}
		err := api.Get(ctx, apiclient.Path("queues", vhost, name), &q)
		if err != nil || q.Messages != count || q.State != "running" {
			t.Errorf("vhost %s: queue %s is %+v, want %d messages, %v", vhost, name, q, count, err)
		}
	}
}

// TestDefinitionsOfANewerVersionAreRefused: those with a command that this version does not know.
func TestDefinitionsOfANewerVersionAreRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(store.Options{Dir: dir})
	if err == nil {
		err = errors.Join(s.Start(), s.Define(nil, []byte{1, 200}), s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	node, err := warren.Start(t.Context(), warren.Options{
		DataDir: dir, Listen: "127.0.0.1:0", Logger: warrentest.Logger(t),
	})
	if err == nil {
		_ = node.Close() // it should not be
	}
	if err == nil || !strings.Contains(err.Error(), "of a newer version of warren") {
		t.Errorf("the error is %v", err)
	}
}
