# Work queues, the sender: puts one persistent task, the joined arguments, into task_queue.
require_relative 'broker'

task = ARGV.empty? ? 'Hello World!' : ARGV.join(' ')
connection = Broker.connect
channel = connection.create_channel
channel.queue('task_queue', durable: true).publish(task, persistent: true)
puts " [x] Sent '#{task}'"
connection.close
