/* Hello world, the sender: one message through the default exchange to the queue hello. */
#include "broker.h"

#include <stdio.h>

int main(void) {
  amqp_connection_state_t connection = broker_connect();
  broker_queue(connection, "hello", 0);
  broker_publish(connection, "", "hello", NULL, "Hello World!");
  printf(" [x] Sent 'Hello World!'\n");
  broker_close(connection);
}
