<?php
// Fanout exchange: three queues, two bindings; the routing key does not matter.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

const QUEUES = ['one', 'two', 'three'];

$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('fan', 'fanout', auto_delete: false);
foreach (QUEUES as $queue) {
    $channel->queue_declare($queue, exclusive: true);
}
foreach (array_slice(QUEUES, 0, 2) as $queue) {
    $channel->queue_bind($queue, 'fan', $queue);
}
$channel->basic_publish(new AMQPMessage('to all who are bound'), 'fan', 'three');
echo " [x] Sent 'three': 'to all who are bound'\n";
foreach (QUEUES as $queue) {
    drain($channel, $queue);
}
$connection->close();
