# Topics, a subscriber: every argument is one of its binding keys.
require_relative 'broker'

abort "usage: #{$PROGRAM_NAME} KEY..." if ARGV.empty?
connection = Broker.connect
channel = connection.create_channel
exchange = channel.topic('topic_logs')
queue = channel.queue('', exclusive: true)
ARGV.each { |key| queue.bind(exchange, routing_key: key) }
queue.subscribe do |delivery, _properties, body|
  puts " [x] '#{delivery.routing_key}': '#{body}'"
end
Broker.wait_until_interrupted(connection, ' [*] Waiting for logs. To exit press CTRL+C')
