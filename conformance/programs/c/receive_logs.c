/* Publish/subscribe, a subscriber: its own exclusive queue, named by the broker. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "logs", "fanout");
  char *queue = broker_exclusive_queue(connection, "");
  broker_bind(connection, queue, "logs", "");
  broker_consume(connection, queue, 1);
  printf(" [*] Waiting for logs. To exit press CTRL+C\n");
  amqp_envelope_t envelope;
  while (broker_next(connection, &envelope)) {
    amqp_bytes_t body = envelope.message.body;
    printf(" [x] %.*s\n", (int)body.len, (char *)body.bytes);
    amqp_destroy_envelope(&envelope);
  }
  free(queue);
  broker_close(connection);
}
