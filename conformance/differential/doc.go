// Package differential plays the same random programs at a warren and at a real RabbitMQ, through
// the same client, and compares what comes back.
//
// A program comes from a seed: a number of steps that declare, bind, publish, get, consume, settle,
// delete, commit, wait and err. After every step the player waits until nothing moves any more, and
// writes down all that happened: replies, errors, deliveries, returns, confirms, and how many
// messages and consumers each queue has. So a program has one meaning, and both transcripts must
// be the same, line for line.
//
//   - program.go, steps_*.go: what a program is made of, and how each step is played
//   - generate.go, arguments.go, forge.go: programs from seeds
//   - player.go, lane.go, settle.go, tap.go: a program against a broker
//   - transcript.go: what came back, as text
//   - compare.go: named rules for differences that stay; docs/differences.md has the reasons
//   - shrink.go: the shortest program that still differs
//
// Run it with
//
//	go test -v ./differential                          # a few hundred programs
//	WARREN_PROGRAMS=5000 go test -v ./differential     # many
//	go test -v ./differential -seed 17                 # one, with its transcripts
package differential
