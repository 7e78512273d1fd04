"""Fanout exchange: three queues, two bindings; the routing key does not matter."""
import broker

QUEUES = ['one', 'two', 'three']

connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='fan', exchange_type='fanout')
for queue in QUEUES:
    channel.queue_declare(queue=queue, exclusive=True)
for queue in QUEUES[:2]:
    channel.queue_bind(exchange='fan', queue=queue, routing_key=queue)
channel.basic_publish(exchange='fan', routing_key='three', body='to all who are bound')
print(" [x] Sent 'three': 'to all who are bound'")
for queue in QUEUES:
    method, _, body = channel.basic_get(queue=queue, auto_ack=True)
    while method:
        print(f" [x] {queue}: '{body.decode()}'")
        method, _, body = channel.basic_get(queue=queue, auto_ack=True)
    print(f' [x] {queue} is empty')
connection.close()
