<?php
// Publish/subscribe, a subscriber: its own exclusive queue, named by the broker.
require 'broker.php';

$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('logs', 'fanout', auto_delete: false);
[$queue] = $channel->queue_declare('', exclusive: true);
$channel->queue_bind($queue, 'logs');
$channel->basic_consume($queue, no_ack: true, callback: function ($message) {
    echo " [x] {$message->getBody()}\n";
});
consume_until_interrupted($connection, $channel, ' [*] Waiting for logs. To exit press CTRL+C');
