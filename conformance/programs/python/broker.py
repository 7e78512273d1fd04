"""Where the broker is: AMQP_URL, or the standard port of this machine."""
import os

import pika

DEFAULT_URL = 'amqp://guest:guest@127.0.0.1:5672/%2F'


def connect():
    """Returns an open blocking connection; the caller closes it."""
    return pika.BlockingConnection(pika.URLParameters(os.environ.get('AMQP_URL', DEFAULT_URL)))


def consume_until_interrupted(connection, channel, banner):
    """Prints the banner, handles deliveries until Ctrl-C, then closes the connection properly."""
    try:
        print(banner)
        channel.start_consuming()
    except KeyboardInterrupt:
        pass
    connection.close()
