// Package operator compares what an operator does at a command line: warren's rabbitmqadmin with
// RabbitMQ's, and a RabbitMQ before with the warren after a migration.
package operator
