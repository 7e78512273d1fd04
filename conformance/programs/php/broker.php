<?php
// Where the broker is: AMQP_URL, or the standard port of this machine.

// Debian installs the library where PHP looks for includes.
require_once 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;

const DEFAULT_URL = 'amqp://guest:guest@127.0.0.1:5672/%2F';

// Returns an open connection; the caller closes it.
function connect(): AMQPStreamConnection
{
    $url = parse_url(getenv('AMQP_URL') ?: DEFAULT_URL);
    return new AMQPStreamConnection(
        $url['host'],
        $url['port'] ?? 5672,
        urldecode($url['user'] ?? 'guest'),
        urldecode($url['pass'] ?? 'guest'),
        urldecode(substr($url['path'] ?? '/%2F', 1))
    );
}

// Prints the banner, handles deliveries until Ctrl-C, then closes the connection properly.
function consume_until_interrupted(
    AMQPStreamConnection $connection,
    AMQPChannel $channel,
    string $banner
): void {
    pcntl_async_signals(true);
    pcntl_signal(SIGINT, fn () => $channel->stopConsume());
    echo $banner, "\n";
    $channel->consume(1); // looks for Ctrl-C once a second at the latest
    $connection->close();
}

// Gets and prints the messages of a queue one by one until it is empty.
function drain(AMQPChannel $channel, string $queue): void
{
    while ($message = $channel->basic_get($queue, true)) {
        echo " [x] $queue: '{$message->getBody()}'\n";
    }
    echo " [x] $queue is empty\n";
}
