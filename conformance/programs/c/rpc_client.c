/* RPC, the client: asks for fib of each argument (30 without any) and waits for its reply. */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Fills id, of 33 bytes, with a number that no other call has. */
static void unique(char *id) {
  unsigned char random[16];
  if (getrandom(random, sizeof random, 0) != sizeof random) abort();
  for (int i = 0; i < 16; i++) sprintf(id + 2 * i, "%02x", random[i]);
}

/* Sends one request and prints its reply. Replies to other requests are ignored. */
static void call(amqp_connection_state_t connection, const char *replies, const char *n) {
  char id[33];
  unique(id);
  amqp_bytes_t wanted = amqp_cstring_bytes(id);
  amqp_basic_properties_t properties = {
      ._flags = AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_REPLY_TO_FLAG,
      .correlation_id = wanted,
      .reply_to = amqp_cstring_bytes(replies),
  };
  printf(" [x] Requesting fib(%s)\n", n);
  broker_publish(connection, "", "rpc_queue", &properties, n);
  amqp_envelope_t reply;
  for (int found = 0; !found && broker_next(connection, &reply);) {
    amqp_bytes_t got = reply.message.properties.correlation_id, body = reply.message.body;
    found = got.len == wanted.len && memcmp(got.bytes, wanted.bytes, got.len) == 0;
    if (found) printf(" [.] Got %.*s\n", (int)body.len, (char *)body.bytes);
    amqp_destroy_envelope(&reply);
  }
}

int main(int argc, char **argv) {
  amqp_connection_state_t connection = broker_connect();
  char *replies = broker_exclusive_queue(connection, "");
  broker_consume(connection, replies, 1);
  if (argc < 2) call(connection, replies, "30");
  for (int i = 1; i < argc; i++) call(connection, replies, argv[i]);
  free(replies);
  broker_close(connection);
}
