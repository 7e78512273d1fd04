import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;

/** RPC, the server: answers each request in rpc_queue with a Fibonacci number. */
final class RpcServer {
  private static int fib(int n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
  }

  public static void main(String[] args) throws Exception {
    Connection connection = Broker.connect();
    Channel channel = connection.createChannel();
    channel.queueDeclare("rpc_queue", false, false, false, null);
    channel.basicQos(1);
    channel.basicConsume("rpc_queue", false, new DefaultConsumer(channel) {
      @Override
      public void handleDelivery(
          String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
          throws IOException {
        int n = Integer.parseInt(Broker.text(body));
        System.out.println(" [.] fib(" + n + ")");
        AMQP.BasicProperties reply = new AMQP.BasicProperties.Builder()
            .correlationId(properties.getCorrelationId())
            .build();
        byte[] result = Broker.bytes(Integer.toString(fib(n)));
        channel.basicPublish("", properties.getReplyTo(), reply, result);
        channel.basicAck(envelope.getDeliveryTag(), false);
      }
    });
    Broker.closeWhenInterrupted(connection, " [x] Awaiting RPC requests");
  }
}
