// Package perf is a load generator for AMQP 0-9-1 brokers: it publishes and consumes as fast as
// it is told to, and says what came of it: rates, latencies, loss, duplicates, order, and what
// the broker spent on it.
//
// A URI nats://host:port loads a NATS server in its own protocol, batched in the same way, so that
// both kinds of broker can be compared: a queue is a subject then, and where messages are
// persistent, a JetStream stream with a durable consumer.
//
// It stands beside the tower: it sees a broker, any broker, only through the wire, and imports
// nothing of ours but amqp. Its options carry the meaning of the flags of RabbitMQ's PerfTest.
//
// The client must not hide the broker when both share two cores, hence its own small client:
//
//   - A producer formats its messages once, as one buffer full of frames. For each write it
//     only patches sequence numbers and the time into that buffer.
//   - A consumer reads up to ReadSize bytes at a time and parses in place. One read of the
//     clock and one lock serve all messages of a read.
//   - One goroutine per producer and per consumer, and one more per producer for what the
//     broker has to say to it (confirms, returns, blocked).
//
// # What a body carries
//
// The first octets of each body, integers in network order; this layout never changes:
//
//	| run 2 | producer 2 | sequence 4 | time 8 |
//
// The run tells messages of this run from what an earlier run left in the queue. The sequence
// counts the messages of one producer from 0 and wraps; time is the moment just before the
// write, in nanoseconds since 1970. A smaller body carries what fits:
//
//	size      | carries                  | checked
//	16 B up   | everything               | latency, loss, duplicates, order
//	8 to 15 B | run, producer, sequence  | loss, duplicates, order
//	4 to 7 B  | sequence                 | the same, for a run with one producer
//	0 to 3 B  | nothing                  | counts only
//
// # How to use it
//
//	result, err := perf.Run(ctx, perf.Options{
//		URI:       "amqp://127.0.0.1",
//		Time:      10 * time.Second,
//		Producers: perf.ProducerOptions{Count: 1, Size: 16},
//		Consumers: perf.ConsumerOptions{Count: 1, AutoAck: true},
//	})
//	result.WriteText(os.Stdout)
package perf
