import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;

/** Routing, a subscriber: every argument is one of its severities. */
final class ReceiveLogsDirect {
  public static void main(String[] args) throws Exception {
    if (args.length == 0) {
      System.err.println("usage: ReceiveLogsDirect KEY...");
      System.exit(1);
    }
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.exchangeDeclare("direct_logs", "direct");
    String queue = channel.queueDeclare().getQueue();
    for (String key : args) {
      channel.queueBind(queue, "direct_logs", key);
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
