<?php
// Direct exchange: routing keys are queue names are colours; each queue gets its own colour.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

const COLOURS = ['red', 'green', 'blue'];

$connection = connect();
$channel = $connection->channel();
$channel->exchange_declare('colours', 'direct', auto_delete: false);
foreach (COLOURS as $colour) {
    $channel->queue_declare($colour, exclusive: true);
    $channel->queue_bind($colour, 'colours', $colour);
}
foreach (COLOURS as $colour) {
    $channel->basic_publish(new AMQPMessage("a $colour message"), 'colours', $colour);
    echo " [x] Sent '$colour': 'a $colour message'\n";
}
foreach (COLOURS as $colour) {
    drain($channel, $colour);
}
$connection->close();
