import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;

/** Publish/subscribe, the publisher: one message to everybody who listens to logs. */
final class EmitLog {
  public static void main(String[] args) throws Exception {
    String message = Broker.join(args, 0, "info: Hello World!");
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare("logs", "fanout");
      channel.basicPublish("logs", "", null, Broker.bytes(message));
      System.out.println(" [x] Sent '" + message + "'");
    }
  }
}
