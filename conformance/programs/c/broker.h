/* What the C programs share: where the broker is, how a consumer ends, and checks of every answer.
 * All work on channel 1 of one connection, and end the program when the broker refuses. */
#ifndef BROKER_H
#define BROKER_H

/* The library moved its headers in version 0.12. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_tcp_socket.h>
#endif

/* Ctrl-C asks broker_next to return 0. Opens the connection and its channel 1. The broker is at
 * AMQP_URL, or at the standard port of this machine. */
amqp_connection_state_t broker_connect(void);

/* Closes channel and connection properly and frees them. */
void broker_close(amqp_connection_state_t connection);

/* Ends the program when the last synchronous method was refused. */
void broker_check(amqp_connection_state_t connection, const char *what);

/* Declares a queue that lives with this connection; an empty name lets the broker choose. The
 * caller frees the name. */
char *broker_exclusive_queue(amqp_connection_state_t connection, const char *name);

void broker_queue(amqp_connection_state_t connection, const char *name, int durable);
void broker_exchange(amqp_connection_state_t connection, const char *name, const char *type);
void broker_bind(amqp_connection_state_t connection, const char *queue, const char *exchange,
                 const char *key);

/* Publishes body; properties may be NULL. */
void broker_publish(amqp_connection_state_t connection, const char *exchange, const char *key,
                    const amqp_basic_properties_t *properties, const char *body);

/* Starts a consumer: automatic acknowledgement, or one message at a time. */
void broker_consume(amqp_connection_state_t connection, const char *queue, int no_ack);

/* Waits for a delivery: 1, and the caller destroys the envelope; or 0 after Ctrl-C. */
int broker_next(amqp_connection_state_t connection, amqp_envelope_t *envelope);

void broker_ack(amqp_connection_state_t connection, uint64_t delivery_tag);

/* Gets and prints the messages of a queue one by one until it is empty. */
void broker_drain(amqp_connection_state_t connection, const char *queue);

/* Joins the arguments from the given place on with blanks, or returns what stands for none. */
const char *broker_join(int argc, char **argv, int from, const char *by_default);

#endif
