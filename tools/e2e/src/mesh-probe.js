// Both ends of the mesh test; runs in pods with plain Node.
//   serve          TCP 7000: says the client's address, then echoes; UDP 7001: echoes, or answers "who"
//   probe JSON     [{name, address, tcpPort?, udpPort?}] and sizes -> one JSON result a line
const dgram = require('node:dgram');
const net = require('node:net');

const [mode, text] = process.argv.slice(2);
if (mode === 'serve') serve();
else probe(JSON.parse(text));

function serve() {
  net
    .createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${socket.remoteAddress.replace('::ffff:', '')}\n`);
      socket.pipe(socket);
    })
    .listen(7000, '0.0.0.0');
  const udp = dgram.createSocket('udp4');
  udp.on('message', (message, peer) => {
    udp.send(message.toString() === 'who' ? peer.address : message, peer.port, peer.address);
  });
  udp.bind(7001);
}

async function probe({ targets, tcpSizes, udpSizes }) {
  const jobs = targets.flatMap((target) => [
    ...tcpSizes.map((size) => () => tcp(target, size)),
    ...udpSizes.map((size) => () => udp(target, size)),
    () => udp(target, 0),
  ]);
  const workers = Array.from({ length: 8 }, async () => {
    for (let job = jobs.pop(); job; job = jobs.pop()) console.log(JSON.stringify(await job()));
  });
  await Promise.all(workers);
  process.exit(0);
}

function tcp(target, size) {
  const result = { target: target.name, protocol: 'tcp', size, ok: false, seen: '', error: '' };
  return new Promise((resolve) => {
    const socket = net.connect({ host: target.address, port: target.tcpPort ?? 7000 });
    const payload = Buffer.alloc(size, 'contrail');
    const parts = [];
    const finish = (error) => {
      socket.destroy();
      resolve({ ...result, error: error ?? '', ok: !error });
    };
    socket.setTimeout(8000, () => finish('timeout'));
    socket.on('error', (error) => finish(error.message));
    socket.on('connect', () => socket.end(payload));
    socket.on('data', (part) => parts.push(part));
    socket.on('end', () => {
      const all = Buffer.concat(parts);
      const line = all.indexOf('\n');
      result.seen = all.subarray(0, line).toString();
      finish(all.subarray(line + 1).equals(payload) ? undefined : `echo differs: ${all.length - line - 1} bytes of ${size}`);
    });
  });
}

/** Three tries, as UDP promises nothing; size 0 asks which address the receiver sees. */
async function udp(target, size) {
  const result = { target: target.name, protocol: 'udp', size, ok: false, seen: '', error: '' };
  const payload = size === 0 ? Buffer.from('who') : Buffer.alloc(size, 'contrail');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await new Promise((resolve) => {
      const socket = dgram.createSocket('udp4');
      const done = (value) => {
        clearTimeout(timer);
        socket.close();
        resolve(value);
      };
      const timer = setTimeout(() => done('timeout'), 2000);
      socket.on('error', (error) => done(error.message));
      socket.connect(target.udpPort ?? 7001, target.address, (error) => {
        if (error) done(error.message);
        else socket.send(payload);
      });
      socket.on('message', (message) => done(message));
    });
    if (typeof answer === 'string') result.error = answer;
    else if (size === 0) return { ...result, ok: true, error: '', seen: answer.toString() };
    else return { ...result, ok: answer.equals(payload), error: answer.equals(payload) ? '' : 'echo differs' };
  }
  return result;
}
