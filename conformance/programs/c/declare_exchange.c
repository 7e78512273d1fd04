/* What amqp-tools lack: declares an exchange. Usage: declare_exchange NAME TYPE */
#include "broker.h"

#include <stdio.h>

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s NAME TYPE\n", argv[0]);
    return 1;
  }
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, argv[1], argv[2]);
  broker_close(connection);
}
