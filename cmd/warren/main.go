// Command warren is the broker, its tools and its load generator in one binary; see
// internal/cli for the commands.
package main

import (
	"os"

	"github.com/warrenmq/warren/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
}
