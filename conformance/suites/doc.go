// Package suites runs the test suites that client libraries publish, unmodified, against a warren.
//
// It is part of the conformance module: nothing imports it, and the tests are the package. A suite
// is copied to where it may write, built, pointed at the broker and run:
//
//   - amqp091-go v1.14.0, its integration tests, from the Go module of that version; the address of
//     the HTTP API, which is fixed in them, is that of the broker in the copy
//   - rabbit-hole v3.5.0, a client of the HTTP API, the tests in the Go module of that version;
//     they have their addresses fixed in them, so they run in a network of their own (Linux)
//   - amqplib 2.0.1, the tests inside its npm package, with claire
//
// What is expected to fail or to be skipped stands by name, with its reason, in a text file beside
// the code. Everything else must pass, and as many tests must have run as the suite has. What
// passes although it is listed is said, and is no failure.
//
//	go test -v ./suites
//
// With WARREN_SUITES_ON=rabbitmq the suites run against a real RabbitMQ instead. So the lists are
// known to hold nothing that passes there, except what a line says about warren.
package suites
