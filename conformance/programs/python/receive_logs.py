"""Publish/subscribe, a subscriber: its own exclusive queue, named by the broker."""
import broker


def on_message(channel, method, properties, body):
    print(f' [x] {body.decode()}')


connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='logs', exchange_type='fanout')
queue = channel.queue_declare(queue='', exclusive=True).method.queue
channel.queue_bind(exchange='logs', queue=queue)
channel.basic_consume(queue=queue, on_message_callback=on_message, auto_ack=True)
broker.consume_until_interrupted(
    connection, channel, ' [*] Waiting for logs. To exit press CTRL+C')
