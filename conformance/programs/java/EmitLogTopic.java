import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;

/** Topics, the publisher: the first argument is the routing key, the others are the message. */
final class EmitLogTopic {
  public static void main(String[] args) throws Exception {
    String key = args.length > 0 ? args[0] : "anonymous.info";
    String message = Broker.join(args, 1, "Hello World!");
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.exchangeDeclare("topic_logs", "topic");
      channel.basicPublish("topic_logs", key, null, Broker.bytes(message));
      System.out.println(" [x] Sent '" + key + "': '" + message + "'");
    }
  }
}
