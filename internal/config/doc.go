// Package config reads how a node is configured: files in the syntax of rabbitmq.conf, the
// environment and flags become the options of a node, and whatever is wrong in them is said at
// once, with its place and the nearest right name.
//
// Floor 7, wiring: below the command line. What a key means is a row of a table, see Keys; the
// documentation and `warren config` are made from it. Nothing here is used twice at a time, and
// nothing is kept between two calls.
package config
