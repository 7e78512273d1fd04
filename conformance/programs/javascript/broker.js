// Where the broker is: AMQP_URL, or the standard port of this machine.
import amqp from 'amqplib';

const DEFAULT_URL = 'amqp://guest:guest@127.0.0.1:5672/%2F';

// Resolves to an open connection and a channel on it.
export async function connect() {
  const connection = await amqp.connect(process.env.AMQP_URL || DEFAULT_URL);
  return { connection, channel: await connection.createChannel() };
}

// Closes the channel first: its answer says that the broker has everything we published.
export async function close({ connection, channel }) {
  await channel.close();
  await connection.close();
}

// Prints the banner and lets the consumers work until Ctrl-C, then closes the connection properly.
export function closeWhenInterrupted(open, banner) {
  process.once('SIGINT', () => close(open));
  console.log(banner);
}

// Gets and prints the messages of a queue one by one until it is empty.
export async function drain(channel, queue) {
  let message;
  while ((message = await channel.get(queue, { noAck: true }))) {
    console.log(` [x] ${queue}: '${message.content}'`);
  }
  console.log(` [x] ${queue} is empty`);
}
