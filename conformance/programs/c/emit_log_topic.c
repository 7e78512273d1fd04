/* Topics, the publisher: the first argument is the routing key, the others are the message. */
#include "broker.h"

#include <stdio.h>

int main(int argc, char **argv) {
  const char *key = argc > 1 ? argv[1] : "anonymous.info";
  const char *message = broker_join(argc, argv, 2, "Hello World!");
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "topic_logs", "topic");
  broker_publish(connection, "topic_logs", key, NULL, message);
  printf(" [x] Sent '%s': '%s'\n", key, message);
  broker_close(connection);
}
