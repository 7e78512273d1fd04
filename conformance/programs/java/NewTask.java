import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.MessageProperties;

/** Work queues, the sender: puts one persistent task, the joined arguments, into task_queue. */
final class NewTask {
  public static void main(String[] args) throws Exception {
    String task = Broker.join(args, 0, "Hello World!");
    try (Connection connection = Broker.connect()) {
      Channel channel = connection.createChannel();
      channel.queueDeclare("task_queue", true, false, false, null);
      channel.basicPublish(
          "", "task_queue", MessageProperties.PERSISTENT_TEXT_PLAIN, Broker.bytes(task));
      System.out.println(" [x] Sent '" + task + "'");
    }
  }
}
