"""Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work."""
import os
import time

import broker

DOT_SECONDS = float(os.environ.get('DOT_SECONDS', '1'))


def on_task(channel, method, properties, body):
    again = ' (redelivered)' if method.redelivered else ''
    print(f' [x] Received {body.decode()}{again}')
    time.sleep(body.count(b'.') * DOT_SECONDS)
    channel.basic_ack(delivery_tag=method.delivery_tag)
    print(' [x] Done')


connection = broker.connect()
channel = connection.channel()
channel.queue_declare(queue='task_queue', durable=True, arguments={'x-queue-type': 'quorum'})
channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue='task_queue', on_message_callback=on_task)
broker.consume_until_interrupted(
    connection, channel, ' [*] Waiting for messages. To exit press CTRL+C')
