# RPC, the server: answers each request in rpc_queue with a Fibonacci number.
require_relative 'broker'

def fib(n)
  n < 2 ? n : fib(n - 1) + fib(n - 2)
end

connection = Broker.connect
channel = connection.create_channel
queue = channel.queue('rpc_queue')
channel.prefetch(1)
queue.subscribe(manual_ack: true) do |delivery, properties, body|
  n = body.to_i
  puts " [.] fib(#{n})"
  channel.default_exchange.publish(fib(n).to_s, routing_key: properties.reply_to,
                                                correlation_id: properties.correlation_id)
  channel.ack(delivery.delivery_tag)
end
Broker.wait_until_interrupted(connection, ' [x] Awaiting RPC requests')
