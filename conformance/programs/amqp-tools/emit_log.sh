#!/bin/sh
# Publish/subscribe, the publisher: one message to everybody who listens to logs.
. "$(dirname "$0")/broker.sh"

message=${*:-info: Hello World!}
declare_exchange logs fanout
amqp-publish --url="$url" --exchange=logs --body="$message"
echo " [x] Sent '$message'"
