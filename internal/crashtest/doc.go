// Package crashtest proves from outside that what a broker confirmed survives: it loads a real
// warren process, kills it or cuts the power of its disk, starts it again and holds what it finds
// against a ledger of all it was told.
//
// It stands above everything and consists of tests; see docs/durability.md.
package crashtest
