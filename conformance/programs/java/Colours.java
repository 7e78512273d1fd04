import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.util.List;

/** Direct exchange: routing keys are queue names are colours; each queue gets its own colour. */
final class Colours {
  private static final List<String> COLOURS = List.of("red", "green", "blue");

  public static void main(String[] args) throws Exception {
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare("colours", "direct");
      for (String colour : COLOURS) {
        channel.queueDeclare(colour, false, true, false, null);
        channel.queueBind(colour, "colours", colour);
      }
      for (String colour : COLOURS) {
        String message = "a " + colour + " message";
        channel.basicPublish("colours", colour, null, Broker.bytes(message));
        System.out.println(" [x] Sent '" + colour + "': '" + message + "'");
      }
      for (String colour : COLOURS) {
        Broker.drain(channel, colour);
      }
    }
  }
}
