import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** RPC, the client: asks for fib of each argument (30 without any) and waits for its reply. */
final class RpcClient {
  private final Map<String, CompletableFuture<String>> waiting = new ConcurrentHashMap<>();
  private final Channel channel;
  private final String replies;

  private RpcClient(Connection connection) throws Exception {
    channel = connection.createChannel();
    replies = channel.queueDeclare().getQueue();
    channel.basicConsume(replies, true, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        // A reply to a call that nobody waits for is ignored.
        CompletableFuture<String> call = waiting.remove(properties.getCorrelationId());
        if (call != null) {
          call.complete(Broker.text(body));
        }
      }
    });
  }

  private String call(String n) throws Exception {
    String correlationId = UUID.randomUUID().toString();
    CompletableFuture<String> reply = new CompletableFuture<>();
    waiting.put(correlationId, reply);
    AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
        .correlationId(correlationId)
        .replyTo(replies)
        .build();
    channel.basicPublish("", "rpc_queue", properties, Broker.bytes(n));
    return reply.get();
  }

  public static void main(String[] args) throws Exception {
    try (Connection connection = Broker.connect()) {
      RpcClient client = new RpcClient(connection);
      for (String n : args.length > 0 ? args : new String[] {"30"}) {
        System.out.println(" [x] Requesting fib(" + n + ")");
        System.out.println(" [.] Got " + client.call(n));
      }
    }
  }
}
