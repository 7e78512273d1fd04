<?php
// Publish/subscribe, the publisher: one message to everybody who listens to logs.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

$message = implode(' ', array_slice($argv, 1)) ?: 'info: Hello World!';
$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('logs', 'fanout', auto_delete: false);
$channel->basic_publish(new AMQPMessage($message), 'logs');
echo " [x] Sent '$message'\n";
$connection->close();
