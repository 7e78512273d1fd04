// Publish/subscribe, the publisher: one message to everybody who listens to logs.
import { close, connect } from './broker.js';

const message = process.argv.slice(2).join(' ') || 'info: Hello World!';
const open = await connect();
await open.channel.assertExchange('logs', 'fanout', { durable: false });
open.channel.publish('logs', '', Buffer.from(message));
console.log(` [x] Sent '${message}'`);
await close(open);
