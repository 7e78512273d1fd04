#!/bin/sh
# Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C.
. "$(dirname "$0")/broker.sh"

amqp-declare-queue --url="$url" --queue=hello >/dev/null
echo ' [*] Waiting for messages. To exit press CTRL+C'
exec amqp-consume --url="$url" --queue=hello --no-ack -- sh -c 'echo " [x] Received $(cat)"'
