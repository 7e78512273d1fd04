package perf

// dialect is a protocol, as far as a run has to know: how a connection begins and ends, how to
// declare, and how to start to consume and produce.
type dialect interface {
	// open logs in on a fresh connection; leave says goodbye on an open one, and returns when
	// the broker has processed all that was sent. Deadlines are the caller's.
	open(c *conn, t target) error
	leave(c *conn) error
	// declareShared declares what several connections use.
	declareShared(c *conn, p plan, o Options) error
	// subscribe declares what consumer number n owns, and starts its deliveries.
	subscribe(c *consumer, o Options, p plan, n int) error
	// produce formats the messages of producer number n, and returns its speech.
	produce(p *producer, o Options, plan plan, n int, origin stamp) (speech, error)
}

// speech is what a producer and its broker say to each other but for the messages.
type speech interface {
	// goodbye is what a producer writes last: the broker answers it when it has processed
	// everything before.
	goodbye() []byte
	// hear takes all that is buffered. It reports whether the answer to the goodbye came.
	hear(now int64) (closed bool, err error)
}

// amqpDialect is AMQP 0-9-1; consumers and producers have its hot paths.
type amqpDialect struct{}
