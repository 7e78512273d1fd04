import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Where the broker is (AMQP_URL, or the standard port of this machine), and what all share. */
final class Broker {
  private static final String DEFAULT_URL = "amqp://guest:guest@127.0.0.1:5672/%2F";

  private Broker() {}

  /** Returns an open connection; the caller closes it. */
  static Connection connect() throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(System.getenv().getOrDefault("AMQP_URL", DEFAULT_URL));
    factory.setAutomaticRecoveryEnabled(false);
    return factory.newConnection();
  }

  /** Prints the banner; Ctrl-C, which ends the machine, closes the connection properly first. */
  static void closeWhenInterrupted(Connection connection, String banner) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        connection.close();
      } catch (Exception e) {
        System.err.println(e);
      }
    }));
    System.out.println(banner);
  }

  /** Gets and prints the messages of a queue one by one until it is empty. */
  static void drain(Channel channel, String queue) throws IOException {
    GetResponse response;
    while ((response = channel.basicGet(queue, true)) != null) {
      System.out.println(" [x] " + queue + ": '" + text(response.getBody()) + "'");
    }
    System.out.println(" [x] " + queue + " is empty");
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] body) {
    return new String(body, StandardCharsets.UTF_8);
  }

  /** Joins the arguments from the given place on; nothing there is the default message. */
  static String join(String[] args, int from, String byDefault) {
    String[] words = java.util.Arrays.copyOfRange(args, Math.min(from, args.length), args.length);
    return words.length == 0 ? byDefault : String.join(" ", words);
  }
}
