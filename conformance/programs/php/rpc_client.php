<?php
// RPC, the client: asks for fib of each argument (30 without any) and waits for its reply.
require 'broker.php';

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Message\AMQPMessage;

// Calls one at a time; replies to other calls than the current one are ignored.
class Caller
{
    private string $replies;
    private string $wanted = '';
    private ?string $reply = null;

    public function __construct(private AMQPChannel $channel)
    {
        [$this->replies] = $channel->queue_declare('', exclusive: true);
        $channel->basic_consume($this->replies, no_ack: true, callback: function ($message) {
            if ($message->get('correlation_id') === $this->wanted) {
                $this->reply = $message->getBody();
            }
        });
    }

    public function call(string $n): string
    {
        $this->reply = null;
        $this->wanted = bin2hex(random_bytes(16));
        $properties = ['correlation_id' => $this->wanted, 'reply_to' => $this->replies];
        $this->channel->basic_publish(new AMQPMessage($n, $properties), '', 'rpc_queue');
        while ($this->reply === null) {
            $this->channel->wait();
        }
        return $this->reply;
    }
}

$connection = connect();
$caller = new Caller($connection->channel());
foreach (array_slice($argv, 1) ?: ['30'] as $n) {
    echo " [x] Requesting fib($n)\n";
    echo " [.] Got {$caller->call($n)}\n";
}
$connection->close();
