// Publish/subscribe, a subscriber: its own exclusive queue, named by the broker.
import { closeWhenInterrupted, connect } from './broker.js';

const open = await connect();
const { channel } = open;
await channel.assertExchange('logs', 'fanout', { durable: false });
const { queue } = await channel.assertQueue('', { exclusive: true });
await channel.bindQueue(queue, 'logs', '');
await channel.consume(queue, (message) => {
  console.log(` [x] ${message.content}`);
}, { noAck: true });
closeWhenInterrupted(open, ' [*] Waiting for logs. To exit press CTRL+C');
