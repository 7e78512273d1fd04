// Routing, a subscriber: every argument is one of its severities.
import { closeWhenInterrupted, connect } from './broker.js';

const keys = process.argv.slice(2);
if (keys.length === 0) {
  console.error(`usage: ${process.argv[1]} KEY...`);
  process.exit(1);
}
const open = await connect();
const { channel } = open;
await channel.assertExchange('direct_logs', 'direct', { durable: false });
const { queue } = await channel.assertQueue('', { exclusive: true });
for (const key of keys) await channel.bindQueue(queue, 'direct_logs', key);
await channel.consume(queue, (message) => {
  console.log(` [x] '${message.fields.routingKey}': '${message.content}'`);
}, { noAck: true });
closeWhenInterrupted(open, ' [*] Waiting for logs. To exit press CTRL+C');
