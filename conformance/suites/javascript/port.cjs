// Loaded before amqplib's tests, some of which know no port but the standard one: whoever connects
// to 5672 is led to the port that AMQP_PORT names.
const net = require('node:net');

const standard = 5672;
const port = Number(process.env.AMQP_PORT);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof options === 'object' && Number(options.port) === standard) options.port = port;
  return connect.apply(this, args);
};
