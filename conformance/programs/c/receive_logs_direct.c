/* Routing, a subscriber: every argument is one of its severities. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: %s KEY...\n", argv[0]);
    return 1;
  }
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "direct_logs", "direct");
  char *queue = broker_exclusive_queue(connection, "");
  for (int i = 1; i < argc; i++) broker_bind(connection, queue, "direct_logs", argv[i]);
  broker_consume(connection, queue, 1);
  printf(" [*] Waiting for logs. To exit press CTRL+C\n");
  amqp_envelope_t envelope;
  while (broker_next(connection, &envelope)) {
    amqp_bytes_t key = envelope.routing_key, body = envelope.message.body;
    printf(" [x] '%.*s': '%.*s'\n", (int)key.len, (char *)key.bytes, (int)body.len,
           (char *)body.bytes);
    amqp_destroy_envelope(&envelope);
  }
  free(queue);
  broker_close(connection);
}
