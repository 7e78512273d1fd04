import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.util.List;

/** Fanout exchange: three queues, two bindings; the routing key does not matter. */
final class FanOut {
  private static final List<String> QUEUES = List.of("one", "two", "three");

  public static void main(String[] args) throws Exception {
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare("fan", "fanout");
      for (String queue : QUEUES) {
        channel.queueDeclare(queue, false, true, false, null);
      }
      for (String queue : QUEUES.subList(0, 2)) {
        channel.queueBind(queue, "fan", queue);
      }
      channel.basicPublish("fan", "three", null, Broker.bytes("to all who are bound"));
      System.out.println(" [x] Sent 'three': 'to all who are bound'");
      for (String queue : QUEUES) {
        Broker.drain(channel, queue);
      }
    }
  }
}
