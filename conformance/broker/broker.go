// Package broker starts the brokers that the conformance suite compares: a warren and a RabbitMQ,
// each on loopback, on ports that the system chooses, with a data folder of its own.
//
// It knows nothing of the scenarios. The caller stops what it started:
//
//	b, err := broker.StartRabbitMQ(ctx, t.TempDir(), []string{"/", "python"})
//	defer b.Stop()
//	connection, err := amqp.Dial(b.URL("python"))
package broker

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/warrenmq/warren/conformance/process"
)

const (
	// DefaultVHost exists in every broker.
	DefaultVHost = "/"

	// stopPatience is how long a broker may take to end before it is killed.
	stopPatience = 20 * time.Second
)

// Broker is a running broker. Its methods may be called concurrently.
type Broker struct {
	name    string
	address string
	// management is where it serves its HTTP API; empty: it does not.
	management string
	command    func(args []string) *exec.Cmd // a management command, rabbitmqctl's words
	tool       func(name string, args []string) *exec.Cmd
	parts      []*process.Process // stopped from the last to the first
}

// Name is "warren" or "rabbitmq".
func (b *Broker) Name() string { return b.name }

// Address is the host and port where the broker speaks AMQP.
func (b *Broker) Address() string { return b.address }

// Management is the host and port of the HTTP API; empty when the broker has none.
func (b *Broker) Management() string { return b.management }

// URL returns where clients find a vhost, as the user guest.
func (b *Broker) URL(vhost string) string { return URLAt(b.address, vhost) }

// URLAt returns the AMQP URL of a vhost at a host and port, as the user guest.
func URLAt(address, vhost string) string {
	return "amqp://guest:guest@" + address + "/" + url.QueryEscape(vhost)
}

// Command runs a management command in rabbitmqctl's words, such as list_bindings, on a vhost,
// and returns the lines that it printed.
func (b *Broker) Command(ctx context.Context, vhost string, words ...string) ([]string, error) {
	if vhost != DefaultVHost {
		words = append(slices.Clone(words), "-p", vhost)
	}
	return process.Run(ctx, b.name+" "+words[0], b.command(words))
}

// WriteControl writes a shell script that runs management commands in rabbitmqctl's words.
func (b *Broker) WriteControl(path string) error {
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	cmd := b.command(nil)
	script := "#!/bin/sh\n"
	for _, variable := range cmd.Env {
		name, value, _ := strings.Cut(variable, "=")
		if name == "HOME" || strings.HasPrefix(name, "RABBITMQ_") ||
			strings.HasPrefix(name, "ERL_") {
			script += "export " + name + "=" + quoted(value) + "\n"
		}
	}
	script += "exec"
	for _, word := range cmd.Args {
		script += " " + quoted(word)
	}
	return os.WriteFile(path, []byte(script+" \"$@\"\n"), 0o700)
}

// Tool returns the command that runs one of RabbitMQ's command line tools, or ours of that name, on
// the broker.
func (b *Broker) Tool(name string, args ...string) *exec.Cmd { return b.tool(name, args) }

// Binding is one line of list_bindings.
type Binding struct {
	Source, SourceKind           string
	Destination, DestinationKind string
	RoutingKey                   string
}

// Bindings returns the bindings whose source is the given exchange.
func (b *Broker) Bindings(ctx context.Context, vhost, source string) ([]Binding, error) {
	lines, err := b.Command(ctx, vhost, "list_bindings")
	if err != nil {
		return nil, err
	}
	var bindings []Binding
	for _, line := range lines {
		columns := strings.Split(line, "\t")
		if len(columns) < 5 || columns[0] != source {
			continue
		}
		bindings = append(bindings, Binding{
			Source: columns[0], SourceKind: columns[1],
			Destination: columns[2], DestinationKind: columns[3],
			RoutingKey: columns[4],
		})
	}
	return bindings, nil
}

// Stop ends the broker: politely, then by force. It returns when its processes are gone.
func (b *Broker) Stop() {
	for _, part := range slices.Backward(b.parts) {
		ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
		part.Terminate()
		_ = part.Wait(ctx) // how it ends on our demand does not matter
		cancel()
		part.Kill()
	}
}

// freePorts returns loopback ports that nobody listened on a moment ago.
func freePorts(count int) ([]string, error) {
	ports := make([]string, count)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer listener.Close() // all stay taken until all are chosen
		_, ports[i], _ = net.SplitHostPort(listener.Addr().String())
	}
	return ports, nil
}
