import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;

/** Publish/subscribe, a subscriber: its own exclusive queue, named by the broker. */
final class ReceiveLogs {
  public static void main(String[] args) throws Exception {
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.exchangeDeclare("logs", "fanout");
    String queue = channel.queueDeclare().getQueue();
    channel.queueBind(queue, "logs", "");
    channel.basicConsume(queue, true, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        System.out.println(" [x] " + Broker.text(body));
      }
    });
    Broker.closeWhenInterrupted(connection, " [*] Waiting for logs. To exit press CTRL+C");
  }
}
