# Publish/subscribe, the publisher: one message to everybody who listens to logs.
require_relative 'broker'

message = ARGV.empty? ? 'info: Hello World!' : ARGV.join(' ')
connection = Broker.connect
connection.create_channel.fanout('logs').publish(message)
puts " [x] Sent '#{message}'"
connection.close
