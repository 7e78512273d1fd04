"""Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C."""
import broker


def on_message(channel, method, properties, body):
    print(f' [x] Received {body.decode()}')


connection = broker.connect()
channel = connection.channel()
channel.queue_declare(queue='hello')
channel.basic_consume(queue='hello', on_message_callback=on_message, auto_ack=True)
broker.consume_until_interrupted(
    connection, channel, ' [*] Waiting for messages. To exit press CTRL+C')
