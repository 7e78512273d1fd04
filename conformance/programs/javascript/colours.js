// Direct exchange: routing keys are queue names are colours; each queue gets its own colour.
import { close, connect, drain } from './broker.js';

const COLOURS = ['red', 'green', 'blue'];

const open = await connect();
const { channel } = open;
await channel.assertExchange('colours', 'direct', { durable: false });
for (const colour of COLOURS) {
  await channel.assertQueue(colour, { exclusive: true, durable: false });
  await channel.bindQueue(colour, 'colours', colour);
}
for (const colour of COLOURS) {
  const message = `a ${colour} message`;
  channel.publish('colours', colour, Buffer.from(message));
  console.log(` [x] Sent '${colour}': '${message}'`);
}
for (const colour of COLOURS) await drain(channel, colour);
await close(open);
