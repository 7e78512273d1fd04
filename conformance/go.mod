module github.com/warrenmq/warren/conformance

go 1.26.0

require github.com/rabbitmq/amqp091-go v1.16.0

ignore (
	./programs/javascript/node_modules
	./suites/javascript/node_modules
)
