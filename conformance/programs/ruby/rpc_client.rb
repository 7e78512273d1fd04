# RPC, the client: asks for fib of each argument (30 without any) and waits for its reply.
require 'securerandom'
require_relative 'broker'

# Calls one at a time; replies to other calls than the current one are ignored.
class Caller
  def initialize(connection)
    @channel = connection.create_channel
    @replies = @channel.queue('', exclusive: true)
    @inbox = Queue.new
    @replies.subscribe { |_delivery, properties, body| @inbox << [properties.correlation_id, body] }
  end

  def call(n)
    wanted = SecureRandom.uuid
    @channel.default_exchange.publish(n.to_s, routing_key: 'rpc_queue', correlation_id: wanted,
                                              reply_to: @replies.name)
    loop do
      correlation_id, body = @inbox.pop
      return body.to_i if correlation_id == wanted
    end
  end
end

connection = Broker.connect
caller = Caller.new(connection)
(ARGV.empty? ? ['30'] : ARGV).each do |argument|
  puts " [x] Requesting fib(#{argument})"
  puts " [.] Got #{caller.call(argument.to_i)}"
end
connection.close
