// Package tidy holds the rules of the house as tests: where a package stands and what it may
// import, what it must not touch, how long a file may grow, which words are not used, what has
// to be documented.
//
// It stands above every floor: it reads the whole tree, and nothing imports it.
//
// It has no code beyond its tests. TestHouse applies each rule to the tree; TestRulesBite applies
// each rule to a small tree in testdata that breaks it, so that a rule which stopped working is
// noticed. The tests read the source files themselves, through package os, and run no program:
// the go command then knows what they read, and never serves an outdated result from its cache.
//
// A new package gets a line in the table of floors_test.go. A case that has to break a rule gets
// a line in exceptions_test.go, with its reason; a line nobody needs any more is a failure too.
package tidy
