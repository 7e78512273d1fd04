import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;

/** Topics, a subscriber: every argument is one of its binding keys. */
final class ReceiveLogsTopic {
  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.err.println("usage: ReceiveLogsTopic KEY...");
      System.exit(1);
    }
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.exchangeDeclare("topic_logs", "topic");
    String queue = channel.queueDeclare().getQueue();
    for (String key : args) {
      channel.queueBind(queue, "topic_logs", key);
    }
    channel.basicConsume(queue, true, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        String key = envelope.getRoutingKey();
        System.out.println(" [x] '" + key + "': '" + Broker.text(body) + "'");
      }
    });
    Broker.closeWhenInterrupted(connection, " [*] Waiting for logs. To exit press CTRL+C");
  }
}
