// Package httpapi compares the HTTP API of a warren with that of a RabbitMQ: what both answer to
// the requests of testdata/requests.txt, what RabbitMQ's own rabbitmqadmin (the Python program that
// a RabbitMQ serves) prints against both for the commands of testdata/rabbitmqadmin.txt, and
// whether the definitions that one exports are taken by the other.
//
// There is nothing to import. What differs on purpose is listed in the testdata with the reason.
package httpapi
