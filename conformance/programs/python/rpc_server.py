"""RPC, the server: answers each request in rpc_queue with a Fibonacci number."""
import pika

import broker


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def on_request(channel, method, properties, body):
    n = int(body)
    print(f' [.] fib({n})')
    channel.basic_publish(
        exchange='', routing_key=properties.reply_to, body=str(fib(n)),
        properties=pika.BasicProperties(correlation_id=properties.correlation_id))
    channel.basic_ack(delivery_tag=method.delivery_tag)


connection = broker.connect()
channel = connection.channel()
channel.queue_declare(queue='rpc_queue')
channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='rpc_queue', on_message_callback=on_request)
broker.consume_until_interrupted(
    connection, channel, ' [x] Awaiting RPC requests')
