// Hello world, the sender: one message through the default exchange to the queue hello.
import { close, connect } from './broker.js';

const open = await connect();
await open.channel.assertQueue('hello', { durable: false });
open.channel.sendToQueue('hello', Buffer.from('Hello World!'));
console.log(" [x] Sent 'Hello World!'");
await close(open);
