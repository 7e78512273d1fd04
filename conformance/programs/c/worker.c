/* Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void work(amqp_bytes_t task) {
  const char *dot_seconds = getenv("DOT_SECONDS");
  double seconds = 0;
  for (size_t i = 0; i < task.len; i++)
    if (((char *)task.bytes)[i] == '.') seconds += dot_seconds ? atof(dot_seconds) : 1;
  time_t whole = (time_t)seconds;
  struct timespec pause = {.tv_sec = whole, .tv_nsec = (long)((seconds - (double)whole) * 1e9)};
  nanosleep(&pause, NULL);
}

int main(void) {
  amqp_connection_state_t connection = broker_connect();
  broker_queue(connection, "task_queue", 1);
  broker_consume(connection, "task_queue", 0);
  printf(" [*] Waiting for messages. To exit press CTRL+C\n");
  amqp_envelope_t envelope;
  while (broker_next(connection, &envelope)) {
    amqp_bytes_t task = envelope.message.body;
    printf(" [x] Received %.*s%s\n", (int)task.len, (char *)task.bytes,
           envelope.redelivered ? " (redelivered)" : "");
    work(task);
    broker_ack(connection, envelope.delivery_tag);
    printf(" [x] Done\n");
    amqp_destroy_envelope(&envelope);
  }
  broker_close(connection);
}
