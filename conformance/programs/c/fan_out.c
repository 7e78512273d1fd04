/* Fanout exchange: three queues, two bindings; the routing key does not matter. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
  static const char *const queues[] = {"one", "two", "three"};
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "fan", "fanout");
  for (int i = 0; i < 3; i++) free(broker_exclusive_queue(connection, queues[i]));
  for (int i = 0; i < 2; i++) broker_bind(connection, queues[i], "fan", queues[i]);
  broker_publish(connection, "fan", "three", NULL, "to all who are bound");
  printf(" [x] Sent 'three': 'to all who are bound'\n");
  for (int i = 0; i < 3; i++) broker_drain(connection, queues[i]);
  broker_close(connection);
}
