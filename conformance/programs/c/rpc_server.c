/* RPC, the server: answers each request in rpc_queue with a Fibonacci number. */
#include "broker.h"

#include <stdio.h>

static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

/* Reads a number from bytes that end without a zero. */
static int number(amqp_bytes_t bytes) {
  int n = 0;
  for (size_t i = 0; i < bytes.len; i++) n = 10 * n + (((char *)bytes.bytes)[i] - '0');
  return n;
}

static void answer(amqp_connection_state_t connection, const amqp_envelope_t *request) {
  const amqp_basic_properties_t *asked = &request->message.properties;
  amqp_basic_properties_t properties = {
      ._flags = AMQP_BASIC_CORRELATION_ID_FLAG,
      .correlation_id = asked->correlation_id,
  };
  int n = number(request->message.body);
  printf(" [.] fib(%d)\n", n);
  char result[16], reply_to[256];
  snprintf(result, sizeof result, "%d", fib(n));
  snprintf(reply_to, sizeof reply_to, "%.*s", (int)asked->reply_to.len,
           (char *)asked->reply_to.bytes);
  broker_publish(connection, "", reply_to, &properties, result);
  broker_ack(connection, request->delivery_tag);
}

int main(void) {
  amqp_connection_state_t connection = broker_connect();
  broker_queue(connection, "rpc_queue", 0);
  broker_consume(connection, "rpc_queue", 0);
  printf(" [x] Awaiting RPC requests\n");
  amqp_envelope_t request;
  while (broker_next(connection, &request)) {
    answer(connection, &request);
    amqp_destroy_envelope(&request);
  }
  broker_close(connection);
}
