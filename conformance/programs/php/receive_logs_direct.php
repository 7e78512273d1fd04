<?php
// Routing, a subscriber: every argument is one of its severities.
require 'broker.php';

if ($argc < 2) {
    fwrite(STDERR, "usage: {$argv[0]} KEY...\n");
    exit(1);
}
$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('direct_logs', 'direct', auto_delete: false);
[$queue] = $channel->queue_declare('', exclusive: true);
foreach (array_slice($argv, 1) as $key) {
    $channel->queue_bind($queue, 'direct_logs', $key);
}
$channel->basic_consume($queue, no_ack: true, callback: function ($message) {
    echo " [x] '{$message->getRoutingKey()}': '{$message->getBody()}'\n";
});
consume_until_interrupted($connection, $channel, ' [*] Waiting for logs. To exit press CTRL+C');
