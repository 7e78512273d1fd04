/* What amqp-tools lack: binds a queue, consuming nothing. Usage: bind_queue QUEUE EXCHANGE KEY */
#include "broker.h"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: %s QUEUE EXCHANGE KEY\n", argv[0]);
    return 1;
  }
  amqp_connection_state_t connection = broker_connect();
  broker_bind(connection, argv[1], argv[2], argv[3]);
  broker_close(connection);
}
