// A process inside one network namespace that a test commands by lines of JSON: it serves, connects,
// sends datagrams. Each answer carries the command's id. No dependency, so it starts in 40 ms.
const net = require('node:net');
const dgram = require('node:dgram');
const readline = require('node:readline');

const answer = (id, result) => process.stdout.write(`${JSON.stringify({ id, ...result })}\n`);

/** Answers every connection with "<name> <client address>:<port>\n" and then echoes. */
function serveTcp({ id, port, name, host }) {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.write(`${name} ${socket.remoteAddress}:${socket.remotePort}\n`);
    socket.pipe(socket);
    socket.on('error', () => socket.destroy());
  });
  server.on('error', (error) => answer(id, { error: error.code }));
  server.listen({ port, host: host ?? '0.0.0.0' }, () => answer(id, {}));
}

/** Sends `size` bytes and expects them back after the greeting. */
function connectTcp({ id, host, port, size, localPort, localAddress, timeoutMs }) {
  const started = process.hrtime.bigint();
  const elapsed = () => Number(process.hrtime.bigint() - started) / 1e6;
  const socket = net.connect({ host, port, localPort, localAddress });
  const chunks = [];
  let done = false;
  const finish = (result) => {
    if (!done) {
      done = true;
      clearTimeout(timer);
      socket.destroy();
      answer(id, { ...result, elapsedMs: elapsed() });
    }
  };
  const timer = setTimeout(() => finish({ error: 'TIMEOUT' }), timeoutMs ?? 2000);
  socket.on('connect', () => socket.end(Buffer.alloc(size ?? 1, 'x')));
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    const text = Buffer.concat(chunks).toString('latin1');
    const line = text.indexOf('\n');
    finish({ greeting: text.slice(0, line), echoed: text.length - line - 1 });
  });
  socket.on('error', (error) => finish({ error: error.code }));
}

/** Connections that stay, by the id of the command that opened them. */
const open = new Map();

function openTcp({ id, host, port }) {
  const socket = net.connect({ host, port });
  let greeting = '';
  const onData = (chunk) => {
    greeting += chunk.toString('latin1');
    if (greeting.includes('\n')) {
      socket.off('data', onData);
      open.set(id, socket);
      answer(id, { greeting: greeting.slice(0, greeting.indexOf('\n')) });
    }
  };
  socket.on('data', onData);
  socket.on('error', (error) => {
    open.delete(id);
    answer(id, { error: error.code });
  });
}

/** Sends over an open connection and expects the same bytes back. */
function exchangeTcp({ id, connection, size, timeoutMs }) {
  const socket = open.get(connection);
  if (socket === undefined || socket.destroyed) {
    answer(id, { error: 'ENOTCONN' });
    return;
  }
  let echoed = 0;
  const finish = (result) => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('close', onClose);
    answer(id, { ...result, echoed });
  };
  const onClose = () => finish({ error: 'CLOSED' });
  const onData = (chunk) => {
    echoed += chunk.length;
    if (echoed >= (size ?? 1)) finish({});
  };
  const timer = setTimeout(() => finish({ error: 'TIMEOUT' }), timeoutMs ?? 10000);
  socket.on('data', onData);
  socket.on('close', onClose);
  socket.write(Buffer.alloc(size ?? 1, 'y'));
}

/** First byte of a datagram that wants an answer of its own length. */
const echoMark = 0x45;

function serveUdp({ id, port, name, host }) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, from) => {
    const greeting = `${name} ${from.address}:${from.port} ${message.length}`;
    const text = message[0] === echoMark ? `${greeting}\n`.padEnd(message.length, 'e') : greeting;
    socket.send(text, from.port, from.address);
  });
  socket.on('error', (error) => answer(id, { error: error.code }));
  socket.bind(port, host ?? '0.0.0.0', () => answer(id, {}));
}

function sendUdp({ id, host, port, size, payload, echo, noChecksum, localPort, localAddress, timeoutMs }) {
  const data = payload === undefined ? Buffer.alloc(size ?? 1, 'x') : Buffer.from(payload, 'hex');
  if (echo) data[0] = echoMark;
  const started = process.hrtime.bigint();
  const socket = dgram.createSocket('udp4');
  let done = false;
  const finish = (result) => {
    if (!done) {
      done = true;
      clearTimeout(timer);
      socket.close();
      answer(id, { ...result, elapsedMs: Number(process.hrtime.bigint() - started) / 1e6 });
    }
  };
  const timer = setTimeout(() => finish({ error: 'TIMEOUT' }), timeoutMs ?? 2000);
  socket.on('error', (error) => finish({ error: error.code }));
  socket.on('message', (message) =>
    finish({ greeting: message.toString('latin1').split('\n')[0], echoed: message.length }),
  );
  socket.bind(localPort ?? 0, localAddress ?? '0.0.0.0', () => {
    if (noChecksum) omitChecksum(socket);
    socket.connect(port, host, () => socket.send(data));
  });
}

/** SO_NO_CHECK: datagrams leave with a checksum of zero, which says that there is none. */
function omitChecksum(socket) {
  const koffi = require('koffi');
  const setsockopt = koffi.load('libc.so.6').func('int setsockopt(int, int, int, const void *, uint32_t)');
  const on = Buffer.from([1, 0, 0, 0]);
  if (setsockopt(socket._handle.fd, 1, 11, on, on.length) !== 0) throw new Error('SO_NO_CHECK');
}

const commands = { serveTcp, connectTcp, openTcp, exchangeTcp, serveUdp, sendUdp };
readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line);
    commands[command.op](command);
  })
  .on('close', () => process.exit(0));
