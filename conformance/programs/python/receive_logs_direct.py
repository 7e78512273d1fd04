"""Routing, a subscriber: every argument is one of its severities."""
import sys

import broker


def on_message(channel, method, properties, body):
    print(f" [x] '{method.routing_key}': '{body.decode()}'")


if len(sys.argv) < 2:
    sys.exit(f'usage: {sys.argv[0]} KEY...')
connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='direct_logs', exchange_type='direct')
queue = channel.queue_declare(queue='', exclusive=True).method.queue
for key in sys.argv[1:]:
    channel.queue_bind(exchange='direct_logs', queue=queue, routing_key=key)
channel.basic_consume(queue=queue, on_message_callback=on_message, auto_ack=True)
broker.consume_until_interrupted(
    connection, channel, ' [*] Waiting for logs. To exit press CTRL+C')
