"""RPC, the client: asks for fib of each argument (30 without any) and waits for its reply."""
import sys
import uuid

import pika

import broker


class Caller:
    """Calls one at a time; replies to other calls than the current one are ignored."""

    def __init__(self, connection):
        self.connection = connection
        self.channel = connection.channel()
        self.replies = self.channel.queue_declare(queue='', exclusive=True).method.queue
        self.channel.basic_consume(queue=self.replies, on_message_callback=self.on_reply,
                                   auto_ack=True)

    def on_reply(self, channel, method, properties, body):
        if properties.correlation_id == self.correlation_id:
            self.reply = body

    def call(self, n):
        self.reply = None
        self.correlation_id = str(uuid.uuid4())
        self.channel.basic_publish(
            exchange='', routing_key='rpc_queue', body=str(n),
            properties=pika.BasicProperties(reply_to=self.replies,
                                            correlation_id=self.correlation_id))
        while self.reply is None:
            self.connection.process_data_events(time_limit=None)
        return int(self.reply)


connection = broker.connect()
caller = Caller(connection)
for argument in sys.argv[1:] or ['30']:
    print(f' [x] Requesting fib({argument})')
    print(f' [.] Got {caller.call(int(argument))}')
connection.close()
