#!/bin/sh
# Fanout exchange: three queues, two bindings; the routing key does not matter.
. "$(dirname "$0")/broker.sh"

declare_exchange fan fanout
for queue in one two three; do
  amqp-declare-queue --url="$url" --queue=$queue >/dev/null
done
bind_queue one fan one
bind_queue two fan two
amqp-publish --url="$url" --exchange=fan --routing-key=three --body='to all who are bound'
echo " [x] Sent 'three': 'to all who are bound'"
for queue in one two three; do
  while body=$(amqp-get --url="$url" --queue=$queue); do echo " [x] $queue: '$body'"; done
  echo " [x] $queue is empty"
  amqp-delete-queue --url="$url" --queue=$queue >/dev/null
done
