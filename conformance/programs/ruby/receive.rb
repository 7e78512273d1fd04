# Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C.
require_relative 'broker'

connection = Broker.connect
channel = connection.create_channel
queue = channel.queue('hello')
queue.subscribe { |_delivery, _properties, body| puts " [x] Received #{body}" }
Broker.wait_until_interrupted(connection, ' [*] Waiting for messages. To exit press CTRL+C')
