# Where the broker is: AMQP_URL, or the standard port of this machine.
set -eu
url=${AMQP_URL:-amqp://guest:guest@127.0.0.1:5672/%2F}
