package rabbitmqadmin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/warrenmq/warren/internal/apiclient"
)

// deleteBinding finds the binding that the flags describe and deletes it.
func deleteBinding(p *program, ctx context.Context, values *dict) error {
	vhost := p.options.vhost
	if vhost == "" {
		vhost = p.options.declareVHost
	}
	path, _ := newPath("/bindings/{vhost}/e/{source}/{destination_char}/{destination}", vhost,
		values)
	var answer []byte
	if err := p.api.Get(ctx, path, &answer); err != nil {
		return err
	}
	list, err := loads(answer)
	if err != nil {
		return err
	}
	items, _ := list.([]any)
	for _, item := range items {
		d, ok := item.(*dict)
		if !ok || d.get("routing_key") != values.get("routing_key") ||
			pretty(d.get("arguments")) != pretty(values.get("arguments")) {
			continue
		}
		key, _ := d.get("properties_key").(string)
		return p.api.Delete(ctx, path+apiclient.Path(key))
	}
	return &failure{text: "there is no such binding", code: exitData}
}

// listStreams lists the queues that are streams.
func listStreams(p *program, ctx context.Context, _ *dict) error {
	return p.listWhere(ctx, "/queues", func(d *dict) bool { return d.get("type") == "stream" },
		fields("name vhost type durable messages"))
}

func userConnections(p *program, ctx context.Context, values *dict) error {
	return p.listWhere(ctx, "/connections", func(d *dict) bool {
		return d.get("user") == values.get("username")
	}, fields("name user vhost state channels"))
}

func (p *program) listWhere(
	ctx context.Context, path string, keep func(*dict) bool, columns []string,
) error {
	var answer []byte
	if err := p.api.Get(ctx, path, &answer); err != nil {
		return err
	}
	list, err := loads(answer)
	if err != nil {
		return err
	}
	items, _ := list.([]any)
	items = slices.DeleteFunc(items, func(item any) bool {
		d, ok := item.(*dict)
		return !ok || !keep(d)
	})
	return p.printNew([]byte(dumps(items)), columns)
}

func showChurn(p *program, ctx context.Context, _ *dict) error {
	var answer []byte
	if err := p.api.Get(ctx, "/overview", &answer); err != nil {
		return err
	}
	value, err := loads(answer)
	if err != nil {
		return err
	}
	d, _ := value.(*dict)
	if d == nil {
		return die("the answer is no object")
	}
	return p.printNew([]byte(dumps(d.get("churn_rates"))), nil)
}

// hashPassword makes a hash as RabbitMQ stores it: a salt of four octets, and what SHA-256 makes
// of salt and password.
func hashPassword(p *program, _ context.Context, values *dict) error {
	salt := make([]byte, 4)
	_, _ = rand.Read(salt) // never fails
	sum := sha256.Sum256(append(slices.Clone(salt), fmt.Sprint(values.get("password"))...))
	_, err := fmt.Fprintln(p.out, base64.StdEncoding.EncodeToString(append(salt, sum[:]...)))
	return err
}

// transformations are what --transformations names.
func transformations() map[string]func(*dict) {
	drop := func(keys ...string) func(*dict) {
		return func(d *dict) {
			for _, key := range keys {
				if _, ok := d.values[key]; ok {
					d.set(key, []any{})
				}
			}
		}
	}
	return map[string]func(*dict){
		"no_op":                              func(*dict) {},
		"exclude_users":                      drop("users"),
		"exclude_permissions":                drop("permissions", "topic_permissions"),
		"exclude_runtime_parameters":         drop("parameters"),
		"exclude_policies":                   drop("policies"),
		"strip_cmq_keys_from_policies":       stripMirroring,
		"drop_empty_policies":                dropEmptyPolicies,
		"obfuscate_usernames":                obfuscate,
		"prepare_for_quorum_queue_migration": stripMirroring,
	}
}

func each(d *dict, key string, do func(*dict)) {
	list, _ := d.get(key).([]any)
	for _, item := range list {
		if o, ok := item.(*dict); ok {
			do(o)
		}
	}
}

// stripMirroring takes the keys of mirrored queues, which no broker has any more, out of
// policies.
func stripMirroring(d *dict) {
	each(d, "policies", func(policy *dict) {
		definition, ok := policy.get("definition").(*dict)
		if !ok {
			return
		}
		kept := newDict()
		for _, key := range definition.keys {
			if !strings.HasPrefix(key, "ha-") {
				kept.set(key, definition.get(key))
			}
		}
		policy.set("definition", kept)
	})
}

func dropEmptyPolicies(d *dict) {
	list, ok := d.get("policies").([]any)
	if !ok {
		return
	}
	d.set("policies", slices.DeleteFunc(list, func(item any) bool {
		policy, _ := item.(*dict)
		if policy == nil {
			return false
		}
		definition, _ := policy.get("definition").(*dict)
		return definition == nil || len(definition.keys) == 0
	}))
}

// obfuscate gives users other names and passwords that nobody knows.
func obfuscate(d *dict) {
	names := map[any]string{}
	each(d, "users", func(user *dict) {
		name := fmt.Sprintf("obfuscated-username-%d", len(names)+1)
		names[user.get("name")] = name
		user.set("name", name)
		sum := sha256.Sum256([]byte(rand.Text()))
		user.set("password_hash", base64.StdEncoding.EncodeToString(append(sum[:4], sum[:]...)))
	})
	for _, key := range []string{"permissions", "topic_permissions"} {
		each(d, key, func(o *dict) {
			if name, ok := names[o.get("user")]; ok {
				o.set("user", name)
			}
		})
	}
}

func exportDefinitions(p *program, ctx context.Context, values *dict) error {
	var answer []byte
	if err := p.api.Get(ctx, p.definitionsPath(), &answer); err != nil {
		return err
	}
	value, err := loads(answer)
	if err != nil {
		return err
	}
	d, _ := value.(*dict)
	if d == nil {
		return die("the answer is no object")
	}
	chosen, _ := values.get("transformations").(string)
	for name := range strings.SplitSeq(chosen, ",") {
		if name = plain(strings.TrimSpace(name)); name == "" {
			continue
		}
		transform, ok := transformations()[name]
		if !ok {
			return &failure{text: "there is no transformation " + name, code: exitNewUsage}
		}
		transform(d)
	}
	text := pretty(d) + "\n"
	file, _ := values.get("file").(string)
	if file == "-" {
		_, err := io.WriteString(p.out, text)
		return err
	}
	return os.WriteFile(file, []byte(text), 0o600)
}

func importDefinitions(p *program, ctx context.Context, values *dict) error {
	file, _ := values.get("file").(string)
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(p.in, payloadMax))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return &failure{text: err.Error(), code: exitData}
	}
	if _, err := loads(text); err != nil {
		return &failure{text: file + " is not JSON: " + err.Error(), code: exitData}
	}
	return p.api.Do(ctx, apiclient.Request{
		Method: post, Path: p.definitionsPath(), Body: strings.NewReader(string(text)),
	}, nil)
}
