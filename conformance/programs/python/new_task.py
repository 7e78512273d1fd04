"""Work queues, the sender: puts one persistent task, the joined arguments, into task_queue."""
import sys

import pika

import broker

task = ' '.join(sys.argv[1:]) or 'Hello World!'
connection = broker.connect()
channel = connection.channel()
channel.queue_declare(queue='task_queue', durable=True, arguments={'x-queue-type': 'quorum'})
channel.basic_publish(exchange='', routing_key='task_queue', body=task,
                      properties=pika.BasicProperties(delivery_mode=2))
print(f" [x] Sent '{task}'")
connection.close()
