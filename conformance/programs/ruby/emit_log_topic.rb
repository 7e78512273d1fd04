# Topics, the publisher: the first argument is the routing key, the others are the message.
require_relative 'broker'

key = ARGV.shift || 'anonymous.info'
message = ARGV.empty? ? 'Hello World!' : ARGV.join(' ')
connection = Broker.connect
connection.create_channel.topic('topic_logs').publish(message, routing_key: key)
puts " [x] Sent '#{key}': '#{message}'"
connection.close
