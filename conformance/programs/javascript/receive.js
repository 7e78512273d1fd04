// Hello world, the receiver: prints what arrives in the queue hello, until Ctrl-C.
import { closeWhenInterrupted, connect } from './broker.js';

const open = await connect();
await open.channel.assertQueue('hello', { durable: false });
await open.channel.consume('hello', (message) => {
  console.log(` [x] Received ${message.content}`);
}, { noAck: true });
closeWhenInterrupted(open, ' [*] Waiting for messages. To exit press CTRL+C');
