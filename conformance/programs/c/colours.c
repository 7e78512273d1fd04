/* Direct exchange: routing keys are queue names are colours; each queue gets its own colour. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
  static const char *const colours[] = {"red", "green", "blue"};
  amqp_connection_state_t connection = broker_connect();
  broker_exchange(connection, "colours", "direct");
  for (int i = 0; i < 3; i++) {
    free(broker_exclusive_queue(connection, colours[i]));
    broker_bind(connection, colours[i], "colours", colours[i]);
  }
  for (int i = 0; i < 3; i++) {
    char message[32];
    snprintf(message, sizeof message, "a %s message", colours[i]);
    broker_publish(connection, "colours", colours[i], NULL, message);
    printf(" [x] Sent '%s': '%s'\n", colours[i], message);
  }
  for (int i = 0; i < 3; i++) broker_drain(connection, colours[i]);
  broker_close(connection);
}
