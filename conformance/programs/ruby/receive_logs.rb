# Publish/subscribe, a subscriber: its own exclusive queue, named by the broker.
require_relative 'broker'

connection = Broker.connect
channel = connection.create_channel
queue = channel.queue('', exclusive: true).bind(channel.fanout('logs'))
queue.subscribe { |_delivery, _properties, body| puts " [x] #{body}" }
Broker.wait_until_interrupted(connection, ' [*] Waiting for logs. To exit press CTRL+C')
