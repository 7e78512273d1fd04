<?php
// RPC, the server: answers each request in rpc_queue with a Fibonacci number.
require 'broker.php';

use PhpAmqpLib\Message\AMQPMessage;

function fib(int $n): int
{
    return $n < 2 ? $n : fib($n - 1) + fib($n - 2);
}

$connection = connect();
$channel = $connection->channel();
$channel->queue_declare('rpc_queue', auto_delete: false);
$channel->basic_qos(0, 1, false);
$channel->basic_consume('rpc_queue', callback: function ($request) use ($channel) {
    $n = (int) $request->getBody();
    echo " [.] fib($n)\n";
    $reply = new AMQPMessage(fib($n), ['correlation_id' => $request->get('correlation_id')]);
    $channel->basic_publish($reply, '', $request->get('reply_to'));
    $request->ack();
});
consume_until_interrupted($connection, $channel, ' [x] Awaiting RPC requests');
