import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;

/** Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C. */
final class Receive {
  public static void main(String[] args) throws Exception {
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.queueDeclare("hello", false, false, false, null);
    channel.basicConsume("hello", true, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        System.out.println(" [x] Received " + Broker.text(body));
      }
    });
    Broker.closeWhenInterrupted(connection, " [*] Waiting for messages. To exit press CTRL+C");
  }
}
