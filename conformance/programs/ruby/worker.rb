# Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work.
require_relative 'broker'

DOT_SECONDS = ENV.fetch('DOT_SECONDS', '1').to_f

connection = Broker.connect
channel = connection.create_channel
queue = channel.queue('task_queue', durable: true)
channel.prefetch(1)
queue.subscribe(manual_ack: true) do |delivery, _properties, body|
  puts " [x] Received #{body}#{' (redelivered)' if delivery.redelivered?}"
  sleep body.count('.') * DOT_SECONDS
  channel.ack(delivery.delivery_tag)
  puts ' [x] Done'
end
Broker.wait_until_interrupted(connection, ' [*] Waiting for messages. To exit press CTRL+C')
