<?php
// Topics, the publisher: the first argument is the routing key, the others are the message.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

$key = $argv[1] ?? 'anonymous.info';
$message = implode(' ', array_slice($argv, 2)) ?: 'Hello World!';
$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('topic_logs', 'topic', auto_delete: false);
$channel->basic_publish(new AMQPMessage($message), 'topic_logs', $key);
echo " [x] Sent '$key': '$message'\n";
$connection->close();
