// Work queues, the sender: puts one persistent task, the joined arguments, into task_queue.
import { close, connect } from './broker.js';

const task = process.argv.slice(2).join(' ') || 'Hello World!';
const open = await connect();
await open.channel.assertQueue('task_queue', {
  durable: true, arguments: { 'x-queue-type': 'quorum' },
});
open.channel.sendToQueue('task_queue', Buffer.from(task), { persistent: true });
console.log(` [x] Sent '${task}'`);
await close(open);
