// Runs in a pod with plain Node (`node -e`, parameters as JSON in the last argument) against agnhost netexec; prints one JSON value.
//   get        the name of who answers, or the error
//   sharePort  connections to several targets from one local port, all open at once: who answered each request on each
//   datagrams  from one socket `count` datagrams, one each 200 ms: who answered, in order
const dgram = require('node:dgram');
const net = require('node:net');

const parameters = JSON.parse(process.argv.at(-1));
const work = { get, sharePort, datagrams }[parameters.do];
void work(parameters).then((result) => {
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
});

async function get({ host, port, within }) {
  const socket = await open({ host, port, within }).catch((error) => error);
  if (socket instanceof Error) return socket.message;
  return ask(socket);
}

async function sharePort({ targets, localPort, rounds }) {
  const sockets = await Promise.all(targets.map((target) => open({ ...target, localPort, within: 10_000 })));
  const names = targets.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    const answers = await Promise.all(sockets.map((socket) => ask(socket)));
    answers.forEach((name, index) => names[index].push(name));
  }
  for (const socket of sockets) socket.destroy();
  return names;
}

function open({ host, port, localPort, within }) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, ...(localPort ? { localPort } : {}) });
    const timer = setTimeout(() => socket.destroy(new Error(`not open within ${within} ms`)), within);
    socket.once('error', reject);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/** One request over a connection that stays open. */
function ask(socket) {
  return new Promise((resolve) => {
    let text = '';
    const timer = setTimeout(() => finish('no answer'), 10_000);
    const finish = (name) => {
      clearTimeout(timer);
      socket.removeAllListeners('data');
      resolve(name);
    };
    socket.on('error', (error) => finish(error.message));
    socket.on('data', (part) => {
      text += part;
      const [, length, body] = /Content-Length: (\d+)[\s\S]*?\r\n\r\n([\s\S]*)/i.exec(text) ?? [];
      if (body !== undefined && body.length >= Number(length)) finish(body);
    });
    socket.write('GET /hostname HTTP/1.1\r\nHost: probe\r\n\r\n');
  });
}

async function datagrams({ host, port, isConnected, count }) {
  const socket = dgram.createSocket('udp4');
  const names = [];
  socket.on('message', (message) => names.push(String(message)));
  // A port that refuses for a moment is an answer, too.
  socket.on('error', () => undefined);
  if (isConnected) await new Promise((resolve) => socket.connect(port, host, resolve));
  for (let sent = 0; sent < count; sent += 1) {
    if (isConnected) socket.send('hostname', () => undefined);
    else socket.send('hostname', port, host, () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  socket.close();
  return names;
}
