"""Hello world, the sender: one message through the default exchange to the queue hello."""
import broker

connection = broker.connect()
channel = connection.channel()
channel.queue_declare(queue='hello')
channel.basic_publish(exchange='', routing_key='hello', body='Hello World!')
print(" [x] Sent 'Hello World!'")
connection.close()
