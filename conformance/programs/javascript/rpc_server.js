// RPC, the server: answers each request in rpc_queue with a Fibonacci number.
import { closeWhenInterrupted, connect } from './broker.js';

const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));

const open = await connect();
const { channel } = open;
await channel.assertQueue('rpc_queue', { durable: false });
await channel.prefetch(1);
await channel.consume('rpc_queue', (request) => {
  const n = Number(request.content);
  console.log(` [.] fib(${n})`);
  const { replyTo, correlationId } = request.properties;
  channel.sendToQueue(replyTo, Buffer.from(String(fib(n))), { correlationId });
  channel.ack(request);
});
closeWhenInterrupted(open, ' [x] Awaiting RPC requests');
