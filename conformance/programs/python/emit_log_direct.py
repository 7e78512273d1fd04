"""Routing, the publisher: the first argument is the severity, the others are the message."""
import sys

import broker

key = sys.argv[1] if len(sys.argv) > 1 else 'info'
message = ' '.join(sys.argv[2:]) or 'Hello World!'
connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='direct_logs', exchange_type='direct')
channel.basic_publish(exchange='direct_logs', routing_key=key, body=message)
print(f" [x] Sent '{key}': '{message}'")
connection.close()
