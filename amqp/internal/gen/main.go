// Command gen writes the methods and reply codes of package amqp from the specification's
// XML. It runs when the specification changes, never in a broker.
//
// It stands beside floor 0 and imports nothing of warren's. Use it through go generate:
//
//	go generate ./amqp
//
// Its output depends on nothing but its input, and a test fails when the committed file
// differs from it.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("out", "methods_gen.go", "file to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run reads the specifications, in order, and writes the Go file.
func run(out string, specs []string) error {
	var docs [][]byte
	for _, path := range specs {
		doc, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	code, err := generate(docs...)
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
