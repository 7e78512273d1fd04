# Direct exchange: routing keys are queue names are colours; each queue gets its own colour.
require_relative 'broker'

COLOURS = %w[red green blue].freeze

connection = Broker.connect
channel = connection.create_channel
exchange = channel.direct('colours')
queues = COLOURS.to_h do |colour|
  [colour, channel.queue(colour, exclusive: true).bind(exchange, routing_key: colour)]
end
COLOURS.each do |colour|
  message = "a #{colour} message"
  exchange.publish(message, routing_key: colour)
  puts " [x] Sent '#{colour}': '#{message}'"
end
queues.each do |colour, queue|
  while (body = queue.pop.last)
    puts " [x] #{colour}: '#{body}'"
  end
  puts " [x] #{colour} is empty"
end
connection.close
