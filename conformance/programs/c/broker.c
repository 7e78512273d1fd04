#include "broker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static const char default_url[] = "amqp://guest:guest@127.0.0.1:5672/%2F";

static const int channel = 1;
static const int channel_max = 0;      /* no limit of ours */
static const int frame_max = 131072;
static const int heartbeat_seconds = 60;

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
  (void)number;
  interrupted = 1;
}

static void die(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static void check_status(int status, const char *what) {
  if (status != AMQP_STATUS_OK) die(what, amqp_error_string2(status));
}

static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  switch (reply.reply_type) {
    case AMQP_RESPONSE_NORMAL:
      return;
    case AMQP_RESPONSE_LIBRARY_EXCEPTION:
      die(what, amqp_error_string2(reply.library_error));
      return;
    default:
      die(what, "the broker closed the channel or the connection");
  }
}

void broker_check(amqp_connection_state_t connection, const char *what) {
  check_reply(amqp_get_rpc_reply(connection), what);
}

amqp_connection_state_t broker_connect(void) {
  struct sigaction action = {.sa_handler = on_interrupt};
  sigaction(SIGINT, &action, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0);

  const char *url = getenv("AMQP_URL");
  char *copy = strdup(url ? url : default_url); /* parsed in place, then owned by the settings */
  struct amqp_connection_info info;
  check_status(amqp_parse_url(copy, &info), "AMQP_URL");
  amqp_connection_state_t connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(connection);
  check_status(amqp_socket_open(socket, info.host, info.port), "connect");
  check_reply(amqp_login(connection, info.vhost, channel_max, frame_max, heartbeat_seconds,
                         AMQP_SASL_METHOD_PLAIN, info.user, info.password),
              "login");
  free(copy);
  amqp_channel_open(connection, channel);
  broker_check(connection, "channel.open");
  return connection;
}

void broker_close(amqp_connection_state_t connection) {
  check_reply(amqp_channel_close(connection, channel, AMQP_REPLY_SUCCESS), "channel.close");
  check_reply(amqp_connection_close(connection, AMQP_REPLY_SUCCESS), "connection.close");
  check_status(amqp_destroy_connection(connection), "disconnect");
}

char *broker_exclusive_queue(amqp_connection_state_t connection, const char *name) {
  amqp_queue_declare_ok_t *ok = amqp_queue_declare(
      connection, channel, amqp_cstring_bytes(name), 0, 0, 1, 0, amqp_empty_table);
  broker_check(connection, "queue.declare");
  return strndup(ok->queue.bytes, ok->queue.len);
}

void broker_queue(amqp_connection_state_t connection, const char *name, int durable) {
  amqp_queue_declare(connection, channel, amqp_cstring_bytes(name), 0, durable, 0, 0,
                     amqp_empty_table);
  broker_check(connection, "queue.declare");
}

void broker_exchange(amqp_connection_state_t connection, const char *name, const char *type) {
  amqp_exchange_declare(connection, channel, amqp_cstring_bytes(name), amqp_cstring_bytes(type),
                        0, 0, 0, 0, amqp_empty_table);
  broker_check(connection, "exchange.declare");
}

void broker_bind(amqp_connection_state_t connection, const char *queue, const char *exchange,
                 const char *key) {
  amqp_queue_bind(connection, channel, amqp_cstring_bytes(queue), amqp_cstring_bytes(exchange),
                  amqp_cstring_bytes(key), amqp_empty_table);
  broker_check(connection, "queue.bind");
}

void broker_publish(amqp_connection_state_t connection, const char *exchange, const char *key,
                    const amqp_basic_properties_t *properties, const char *body) {
  check_status(amqp_basic_publish(connection, channel, amqp_cstring_bytes(exchange),
                                  amqp_cstring_bytes(key), 0, 0, properties,
                                  amqp_cstring_bytes(body)),
               "basic.publish");
}

void broker_consume(amqp_connection_state_t connection, const char *queue, int no_ack) {
  if (!no_ack) {
    amqp_basic_qos(connection, channel, 0, 1, 0);
    broker_check(connection, "basic.qos");
  }
  amqp_basic_consume(connection, channel, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, no_ack,
                     0, amqp_empty_table);
  broker_check(connection, "basic.consume");
}

int broker_next(amqp_connection_state_t connection, amqp_envelope_t *envelope) {
  while (!interrupted) {
    /* The library resumes its wait after a signal, so we look for Ctrl-C now and then. */
    struct timeval patience = {.tv_usec = 100000};
    amqp_maybe_release_buffers(connection);
    amqp_rpc_reply_t reply = amqp_consume_message(connection, envelope, &patience, 0);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
        reply.library_error == AMQP_STATUS_TIMEOUT)
      continue;
    check_reply(reply, "basic.deliver");
    return 1;
  }
  return 0;
}

void broker_ack(amqp_connection_state_t connection, uint64_t delivery_tag) {
  check_status(amqp_basic_ack(connection, channel, delivery_tag, 0), "basic.ack");
}

void broker_drain(amqp_connection_state_t connection, const char *queue) {
  for (;;) {
    amqp_rpc_reply_t reply =
        amqp_basic_get(connection, channel, amqp_cstring_bytes(queue), 1);
    check_reply(reply, "basic.get");
    if (reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD) break;
    amqp_message_t message;
    check_reply(amqp_read_message(connection, channel, &message, 0), "basic.get");
    printf(" [x] %s: '%.*s'\n", queue, (int)message.body.len, (char *)message.body.bytes);
    amqp_destroy_message(&message);
  }
  printf(" [x] %s is empty\n", queue);
}

const char *broker_join(int argc, char **argv, int from, const char *by_default) {
  if (argc <= from) return by_default;
  size_t size = 0;
  for (int i = from; i < argc; i++) size += strlen(argv[i]) + 1;
  char *joined = calloc(size, 1); /* lives as long as the program */
  for (int i = from; i < argc; i++) {
    if (i > from) strcat(joined, " ");
    strcat(joined, argv[i]);
  }
  return joined;
}
