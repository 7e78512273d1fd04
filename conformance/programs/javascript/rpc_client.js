// RPC, the client: asks for fib of each argument (30 without any) and waits for its reply.
import { randomUUID } from 'node:crypto';

import { close, connect } from './broker.js';

const open = await connect();
const { channel } = open;
const { queue } = await channel.assertQueue('', { exclusive: true });
const waiting = new Map();
await channel.consume(queue, (reply) => {
  // A reply to a call that nobody waits for is ignored.
  const resolve = waiting.get(reply.properties.correlationId);
  if (resolve) resolve(reply.content.toString());
}, { noAck: true });

async function call(n) {
  const correlationId = randomUUID();
  const reply = new Promise((resolve) => { waiting.set(correlationId, resolve); });
  channel.sendToQueue('rpc_queue', Buffer.from(n), { correlationId, replyTo: queue });
  const result = await reply;
  waiting.delete(correlationId);
  return result;
}

const numbers = process.argv.slice(2);
for (const n of numbers.length > 0 ? numbers : ['30']) {
  console.log(` [x] Requesting fib(${n})`);
  console.log(` [.] Got ${await call(n)}`);
}
await close(open);
