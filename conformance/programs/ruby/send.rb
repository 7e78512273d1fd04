# Hello world, the sender: one message through the default exchange to the queue hello.
require_relative 'broker'

connection = Broker.connect
channel = connection.create_channel
queue = channel.queue('hello')
channel.default_exchange.publish('Hello World!', routing_key: queue.name)
puts " [x] Sent 'Hello World!'"
connection.close
