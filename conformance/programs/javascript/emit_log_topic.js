// Topics, the publisher: the first argument is the routing key, the others are the message.
import { close, connect } from './broker.js';

const [key = 'anonymous.info', ...words] = process.argv.slice(2);
const message = words.join(' ') || 'Hello World!';
const open = await connect();
await open.channel.assertExchange('topic_logs', 'topic', { durable: false });
open.channel.publish('topic_logs', key, Buffer.from(message));
console.log(` [x] Sent '${key}': '${message}'`);
await close(open);
