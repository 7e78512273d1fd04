<?php
// Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C.
require 'broker.php';

$connection = connect();
$channel = $connection->channel();
$channel->queue_declare('hello', auto_delete: false);
$channel->basic_consume('hello', no_ack: true, callback: function ($message) {
    echo " [x] Received {$message->getBody()}\n";
});
consume_until_interrupted($connection, $channel, ' [*] Waiting for messages. To exit press CTRL+C');
