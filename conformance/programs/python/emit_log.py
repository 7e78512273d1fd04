"""Publish/subscribe, the publisher: one message to everybody who listens to logs."""
import sys

import broker

message = ' '.join(sys.argv[1:]) or 'info: Hello World!'
connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='logs', exchange_type='fanout')
channel.basic_publish(exchange='logs', routing_key='', body=message)
print(f" [x] Sent '{message}'")
connection.close()
