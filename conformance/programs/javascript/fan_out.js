// Fanout exchange: three queues, two bindings; the routing key does not matter.
import { close, connect, drain } from './broker.js';

const QUEUES = ['one', 'two', 'three'];

const open = await connect();
const { channel } = open;
await channel.assertExchange('fan', 'fanout', { durable: false });
for (const queue of QUEUES) await channel.assertQueue(queue, { exclusive: true, durable: false });
for (const queue of QUEUES.slice(0, 2)) await channel.bindQueue(queue, 'fan', queue);
channel.publish('fan', 'three', Buffer.from('to all who are bound'));
console.log(" [x] Sent 'three': 'to all who are bound'");
for (const queue of QUEUES) await drain(channel, queue);
await close(open);
