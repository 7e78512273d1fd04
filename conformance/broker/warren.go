package broker

import (
	"context"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// welcome is what a warren prints when clients are welcome: its AMQP URL with the chosen port.
var welcome = regexp.MustCompile(`amqp://\S*?(127\.0\.0\.1:\d+)`)

// welcomeAPI is where a warren says its HTTP API is; it comes after the AMQP URL.
var welcomeAPI = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/api/`)

// lastWelcome comes after both.
const lastWelcome = "log in as"

// StartWarren starts the warren of the given binary with its data in folder. It returns when
// clients are welcome. Flags come after those that every warren has here, and override them.
func StartWarren(
	ctx context.Context, binary, folder string, flags ...string,
) (*Broker, error) {
	b := &Broker{name: "warren"}
	b.command = func(args []string) *exec.Cmd {
		return exec.Command(binary, append([]string{"ctl", "--data", folder}, args...)...)
	}
	b.tool = func(name string, args []string) *exec.Cmd {
		return exec.Command(binary, append([]string{name, "--data", folder}, args...)...)
	}
	words := []string{"serve", "--data", folder, "--listen", "127.0.0.1:0",
		"--management", "127.0.0.1:0", "--metrics", "off"}
	node := exec.Command(binary, append(words, flags...)...)
	if err := b.start("warren serve", node); err != nil {
		return nil, err
	}
	err := b.parts[0].WaitFor(ctx, "its AMQP URL", func(lines []string) bool {
		for _, line := range lines {
			if found := welcome.FindStringSubmatch(line); found != nil && b.address == "" {
				b.address = found[1]
			}
			if found := welcomeAPI.FindStringSubmatch(line); found != nil {
				b.management = found[1]
			}
		}
		return b.address != "" && slices.ContainsFunc(lines, func(line string) bool {
			return strings.Contains(line, lastWelcome)
		})
	})
	if err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}
