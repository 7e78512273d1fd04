<?php
// Hello world, the sender: one message through the default exchange to the queue hello.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

$connection = connect();
$channel = $connection->channel();
$channel->queue_declare('hello', auto_delete: false);
$channel->basic_publish(new AMQPMessage('Hello World!'), '', 'hello');
echo " [x] Sent 'Hello World!'\n";
$connection->close();
