// Work queues, the worker: one task at a time; every dot in a task is DOT_SECONDS of work.
import { setTimeout } from 'node:timers/promises';

import { closeWhenInterrupted, connect } from './broker.js';

const dotSeconds = Number(process.env.DOT_SECONDS || '1');

const open = await connect();
const { channel } = open;
await channel.assertQueue('task_queue', {
  durable: true, arguments: { 'x-queue-type': 'quorum' },
});
await channel.prefetch(1);
await channel.consume('task_queue', async (message) => {
  const task = message.content.toString();
  console.log(` [x] Received ${task}${message.fields.redelivered ? ' (redelivered)' : ''}`);
  await setTimeout((task.split('.').length - 1) * dotSeconds * 1000);
  channel.ack(message);
  console.log(' [x] Done');
});
closeWhenInterrupted(open, ' [*] Waiting for messages. To exit press CTRL+C');
