# Routing, the publisher: the first argument is the severity, the others are the message.
require_relative 'broker'

key = ARGV.shift || 'info'
message = ARGV.empty? ? 'Hello World!' : ARGV.join(' ')
connection = Broker.connect
connection.create_channel.direct('direct_logs').publish(message, routing_key: key)
puts " [x] Sent '#{key}': '#{message}'"
connection.close
