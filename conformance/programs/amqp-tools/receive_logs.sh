#!/bin/sh
# Publish/subscribe, a subscriber: its own exclusive queue, named by the broker.
. "$(dirname "$0")/broker.sh"

declare_exchange logs fanout
echo ' [*] Waiting for logs. To exit press CTRL+C'
# The routing key means nothing to a fanout exchange, but the tool does not bind without one.
exec amqp-consume --url="$url" --exchange=logs --routing-key=any --no-ack -- \
  sh -c 'echo " [x] $(cat)"'
