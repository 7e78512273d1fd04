// Package conformance runs unmodified AMQP clients of several languages against a warren and
// against a RabbitMQ, and compares what they print, as text.
//
// It stands above the whole tree, as a module of its own: the broker does not depend on the
// clients that test it. There is nothing to import; the tests are the package:
//
//   - language_test.go is the table of clients: what each needs, how its programs are run.
//   - programs/ holds our programs on each client, with the lines of the well-known tutorials.
//   - scenario_*_test.go play them, against any broker.
//   - testdata/ holds the transcript of each scenario, the same for all languages and brokers.
//   - process, broker and wiretap start programs and brokers, and listen in between.
//
// Run it with
//
//	go test -v ./...
//
// It builds warren from the parent module, unless WARREN_BIN names a binary. What is not installed
// is skipped by name; with WARREN_REQUIRE_ALL=1 it is a failure.
package conformance
