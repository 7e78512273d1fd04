#!/bin/sh
# Work queues, the sender: puts one persistent task, the joined arguments, into task_queue.
. "$(dirname "$0")/broker.sh"

task=${*:-Hello World!}
amqp-declare-queue --url="$url" --queue=task_queue --durable >/dev/null
amqp-publish --url="$url" --routing-key=task_queue --persistent --body="$task"
echo " [x] Sent '$task'"
