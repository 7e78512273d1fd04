<?php
// Work queues, the sender: puts one persistent task, the joined arguments, into task_queue.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

$task = implode(' ', array_slice($argv, 1)) ?: 'Hello World!';
$connection = connect();
$channel = $connection->channel();
$channel->queue_declare('task_queue', durable: true, auto_delete: false);
$message = new AMQPMessage($task, ['delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT]);
$channel->basic_publish($message, '', 'task_queue');
echo " [x] Sent '$task'\n";
$connection->close();
