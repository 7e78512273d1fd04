package broker

import (
	"context"
	"os/exec"
	"regexp"
	"slices"
)

// welcome is what a warren prints when clients are welcome: its AMQP URL with the chosen port.
var welcome = regexp.MustCompile(`amqp://\S*?(127\.0\.0\.1:\d+)`)

// StartWarren starts the warren of the given binary with its data in folder. It returns when
// clients are welcome.
func StartWarren(ctx context.Context, binary, folder string) (*Broker, error) {
	b := &Broker{name: "warren"}
	b.command = func(args []string) *exec.Cmd {
		return exec.Command(binary, append([]string{"ctl", "--data", folder}, args...)...)
	}
	node := exec.Command(binary, "serve", "--data", folder, "--listen", "127.0.0.1:0")
	if err := b.start("warren serve", node); err != nil {
		return nil, err
	}
	err := b.parts[0].WaitFor(ctx, "its AMQP URL", func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			found := welcome.FindStringSubmatch(line)
			if found != nil {
				b.address = found[1]
			}
			return found != nil
		})
	})
	if err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}
