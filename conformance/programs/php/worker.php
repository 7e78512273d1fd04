<?php
// Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work.
require 'broker.php';

$dot_seconds = (float) (getenv('DOT_SECONDS') ?: '1');

$connection = connect();
$channel = $connection->channel();
$channel->queue_declare('task_queue', durable: true, auto_delete: false);
$channel->basic_qos(0, 1, false);
$channel->basic_consume('task_queue', callback: function ($message) use ($dot_seconds) {
    $again = $message->isRedelivered() ? ' (redelivered)' : '';
    echo " [x] Received {$message->getBody()}$again\n";
    usleep((int) (substr_count($message->getBody(), '.') * $dot_seconds * 1e6));
    $message->ack();
    echo " [x] Done\n";
});
consume_until_interrupted($connection, $channel, ' [*] Waiting for messages. To exit press CTRL+C');
