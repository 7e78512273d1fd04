"""Direct exchange: routing keys are queue names are colours; each queue gets its own colour."""
import broker

COLOURS = ['red', 'green', 'blue']

connection = broker.connect()
channel = connection.channel()
channel.exchange_declare(exchange='colours', exchange_type='direct')
for colour in COLOURS:
    channel.queue_declare(queue=colour, exclusive=True)
    channel.queue_bind(exchange='colours', queue=colour, routing_key=colour)
for colour in COLOURS:
    message = f'a {colour} message'
    channel.basic_publish(exchange='colours', routing_key=colour, body=message)
    print(f" [x] Sent '{colour}': '{message}'")
for colour in COLOURS:
    method, _, body = channel.basic_get(queue=colour, auto_ack=True)
    while method:
        print(f" [x] {colour}: '{body.decode()}'")
        method, _, body = channel.basic_get(queue=colour, auto_ack=True)
    print(f' [x] {colour} is empty')
connection.close()
