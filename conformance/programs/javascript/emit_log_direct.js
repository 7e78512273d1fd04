// Routing, the publisher: the first argument is the severity, the others are the message.
import { close, connect } from './broker.js';

const [key = 'info', ...words] = process.argv.slice(2);
const message = words.join(' ') || 'Hello World!';
const open = await connect();
await open.channel.assertExchange('direct_logs', 'direct', { durable: false });
open.channel.publish('direct_logs', key, Buffer.from(message));
console.log(` [x] Sent '${key}': '${message}'`);
await close(open);
