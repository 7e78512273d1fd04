import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;

/** Routing, the publisher: the first argument is the severity, the others are the message. */
final class EmitLogDirect {
  public static void main(String[] args) throws Exception {
    String key = args.length > 0 ? args[0] : "info";
    String message = Broker.join(args, 1, "Hello World!");
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare("direct_logs", "direct");
      channel.basicPublish("direct_logs", key, null, Broker.bytes(message));
      System.out.println(" [x] Sent '" + key + "': '" + message + "'");
    }
  }
}
