// Package wiretest replays wire stories: scripts of raw AMQP 0-9-1 exchanges with the answers
// that a RabbitMQ 3.10.8 gave, so that a broker's reply codes, reply texts, counts, delivery
// tags and order of frames can be held against them to the letter.
//
// It stands above everything: tests import it, and it knows a broker through the wire only.
//
//	for _, file := range wiretest.Files() {
//		t.Run(file, func(t *testing.T) { wiretest.Run(t, addr, file) })
//	}
//
// A story is a text file in testdata. It consists of steps, with an empty line after each:
// lines that say what clients do, four dashes, and every answer that comes back.
//
//	# A soft error closes the channel and nothing else.
//	login
//	----
//
//	queue.declare queue=nope passive
//	----
//	channel.close 404 queue.declare NOT_FOUND - no queue 'nope' in vhost '/'
//
// Where RabbitMQ's answer is an accident, a line "---- warren" after it begins the answer that
// warren is to give instead, and a comment gives the reason.
//
// A line begins with the connection and channel that it concerns: "c2/3", "c2" or "c1/3".
// Connection c1 goes without saying, as does channel 1, or 0 for methods of class connection.
// What follows is the name of a method with its arguments, or one of:
//
//	login      connect, log in and open a vhost and channel 1. user= password= vhost=
//	           channel-max= frame-max= say how; bare: declare no capabilities;
//	           no-barrier: open no channel for barriers (see below); until=start, until=tune:
//	           stop when connection.start or connection.tune has come
//	connect    make a TCP connection and send nothing
//	drop       cut the connection
//	logout     close the connection as one should and wait for its end
//	reopen     answer channel.close and open the channel again
//	eof        wait until the broker hangs up
//	publish    method, header and body at once: arguments, properties, body="..." or body-size=
//	header     a content header: size= class= weight= and properties, or raw=hex
//	body       a body frame: text="..." or size= of zeros
//	method     any method: class= method= args=hex
//	frame      any frame: type= payload=hex end=hex, and size= to lie about the length
//	raw        hex=, text="..." or zeros= as they are
//	count      wait, asking on another connection, until queue= has messages= and consumers=
//	gone       likewise, until queue= is gone
//
// An argument is name=value, or the bare name of a bit. Strings with spaces are quoted as in
// Go. Field tables are {key:value, key:value} with values "text", 12 (a signed int), true,
// void, {...}, [...], or, with their type letter, l:12, d:1.5, T:1700000000, x:"octets".
//
// An answer is the frame with all its fields but bits that are 0; a content joins its method,
// with frames= when its body came in more than one. "closed" is the end of a connection, by
// FIN or RST. Names that the broker made are numbered as they appear, amq.gen-1, and may be
// used so in commands. Answers on different channels have no order and are sorted.
//
// A step ends when as many answers have come as are expected, and one more on the highest
// channel, which a login opens for this: what comes too much, comes before that. Before and
// after a story, what it declares by name is deleted.
package wiretest
