<?php
// Routing, the publisher: the first argument is the severity, the others are the message.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

$key = $argv[1] ?? 'info';
$message = implode(' ', array_slice($argv, 2)) ?: 'Hello World!';
$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('direct_logs', 'direct', auto_delete: false);
$channel->basic_publish(new AMQPMessage($message), 'direct_logs', $key);
echo " [x] Sent '$key': '$message'\n";
$connection->close();
