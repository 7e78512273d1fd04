# Fanout exchange: three queues, two bindings; the routing key does not matter.
require_relative 'broker'

connection = Broker.connect
channel = connection.create_channel
exchange = channel.fanout('fan')
queues = %w[one two three].map { |name| channel.queue(name, exclusive: true) }
queues.first(2).each { |queue| queue.bind(exchange, routing_key: queue.name) }
exchange.publish('to all who are bound', routing_key: 'three')
puts " [x] Sent 'three': 'to all who are bound'"
queues.each do |queue|
  while (body = queue.pop.last)
    puts " [x] #{queue.name}: '#{body}'"
  end
  puts " [x] #{queue.name} is empty"
end
connection.close
