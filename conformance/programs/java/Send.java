import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;

/** Hello world, the sender: one message through the default exchange to the queue hello. */
final class Send {
  public static void main(String[] args) throws Exception {
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.queueDeclare("hello", false, false, false, null);
      channel.basicPublish("", "hello", null, Broker.bytes("Hello World!"));
      System.out.println(" [x] Sent 'Hello World!'");
    }
  }
}
