#!/bin/sh
# Direct exchange: routing keys are queue names are colours; each queue gets its own colour. The
# exchange is the default one, where every queue is bound by its name.
. "$(dirname "$0")/broker.sh"

for colour in red green blue; do
  amqp-declare-queue --url="$url" --queue=$colour >/dev/null
done
for colour in red green blue; do
  amqp-publish --url="$url" --routing-key=$colour --body="a $colour message"
  echo " [x] Sent '$colour': 'a $colour message'"
done
for colour in red green blue; do
  while body=$(amqp-get --url="$url" --queue=$colour); do echo " [x] $colour: '$body'"; done
  echo " [x] $colour is empty"
  amqp-delete-queue --url="$url" --queue=$colour >/dev/null
done
