/* Work queues, the sender: puts one persistent task, the joined arguments, into task_queue. */
#include "broker.h"

#include <stdio.h>

int main(int argc, char **argv) {
  const char *task = broker_join(argc, argv, 1, "Hello World!");
  amqp_connection_state_t connection = broker_connect();
  broker_queue(connection, "task_queue", 1);
  amqp_basic_properties_t properties = {
      ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
      .delivery_mode = AMQP_DELIVERY_PERSISTENT,
  };
  broker_publish(connection, "", "task_queue", &properties, task);
  printf(" [x] Sent '%s'\n", task);
  broker_close(connection);
}
