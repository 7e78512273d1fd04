#!/bin/sh
# Hello world, the sender: one message through the default exchange to the queue hello.
. "$(dirname "$0")/broker.sh"

amqp-declare-queue --url="$url" --queue=hello >/dev/null
amqp-publish --url="$url" --routing-key=hello --body='Hello World!'
echo " [x] Sent 'Hello World!'"
