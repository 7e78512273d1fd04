import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;

/** Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work. */
final class Worker {
  private static final double DOT_SECONDS =
      Double.parseDouble(System.getenv().getOrDefault("DOT_SECONDS", "1"));

  private static void work(String task) {
    long dots = task.chars().filter(letter -> letter == '.').count();
    try {
      Thread.sleep((long) (dots * DOT_SECONDS * 1000));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  public static void main(String[] args) throws Exception {
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.queueDeclare("task_queue", true, false, false, null);
    channel.basicQos(1);
    channel.basicConsume("task_queue", false, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
          throws IOException {
        String task = Broker.text(body);
        String again = envelope.isRedeliver() ? " (redelivered)" : "";
        System.out.println(" [x] Received " + task + again);
        work(task);
        channel.basicAck(envelope.getDeliveryTag(), false);
        System.out.println(" [x] Done");
      }
    });
    Broker.closeWhenInterrupted(connection, " [*] Waiting for messages. To exit press CTRL+C");
  }
}
