#!/bin/sh
# Work queues, the worker: every dot in a task is DOT_SECONDS of work. amqp-consume acknowledges
# a task when the command has ended well.
. "$(dirname "$0")/broker.sh"

amqp-declare-queue --url="$url" --queue=task_queue --durable >/dev/null
echo ' [*] Waiting for messages. To exit press CTRL+C'
exec amqp-consume --url="$url" --queue=task_queue -- sh -c '
  task=$(cat)
  echo " [x] Received $task"
  for dot in $(printf %s "$task" | tr -cd . | fold -w 1); do sleep "${DOT_SECONDS:-1}"; done
  echo " [x] Done"'
