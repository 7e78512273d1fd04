/* Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C. */
#include "broker.h"

#include <stdio.h>

int main(void) {
  amqp_connection_state_t connection = broker_connect();
  broker_queue(connection, "hello", 0);
  broker_consume(connection, "hello", 1);
  printf(" [*] Waiting for messages. To exit press CTRL+C\n");
  amqp_envelope_t envelope;
  while (broker_next(connection, &envelope)) {
    amqp_bytes_t body = envelope.message.body;
    printf(" [x] Received %.*s\n", (int)body.len, (char *)body.bytes);
    amqp_destroy_envelope(&envelope);
  }
  broker_close(connection);
}
