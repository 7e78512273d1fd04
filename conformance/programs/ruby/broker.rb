# Where the broker is: AMQP_URL, or the standard port of this machine.
require 'bunny'

$stdout.sync = true

module Broker
  DEFAULT_URL = 'amqp://guest:guest@127.0.0.1:5672/%2F'.freeze

  # Returns a started connection; the caller closes it.
  def self.connect
    Bunny.new(ENV.fetch('AMQP_URL', DEFAULT_URL), automatically_recover: false).start
  end

  # Prints the banner and sleeps until Ctrl-C while the consumers work, then closes the
  # connection properly.
  def self.wait_until_interrupted(connection, banner)
    puts banner
    sleep
  rescue Interrupt
    connection.close
  end
end
