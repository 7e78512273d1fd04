/* Publish/subscribe, the publisher: one message to everybody who listens to logs. */
#include "broker.h"

#include <stdio.h>

int main(int argc, char **argv) {
  const char *message = broker_join(argc, argv, 1, "info: Hello World!");
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "logs", "fanout");
  broker_publish(connection, "logs", "", NULL, message);
  printf(" [x] Sent '%s'\n", message);
  broker_close(connection);
}
