"""Topics, the publisher: the first argument is the routing key, the others are the message."""
import sys

import broker

key = sys.argv[1] if len(sys.argv) > 1 else 'anonymous.info'
message = ' '.join(sys.argv[2:]) or 'Hello World!'
connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='topic_logs', exchange_type='topic')
channel.basic_publish(exchange='topic_logs', routing_key=key, body=message)
print(f" [x] Sent '{key}': '{message}'")
connection.close()
