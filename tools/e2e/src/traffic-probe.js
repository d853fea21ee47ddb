// Both ends of the fault tests; runs in pods with plain Node and keeps no state but what it prints.
//   serve       TCP 7100: echoes until the client ends; a JSON line when it did not get to run for a while
//   probe JSON  {targets: [{name, address}], perSecond, stallMs, connectMs}: to each target one stream that never ends
//               and `perSecond` new connections; each failure is one JSON line with its time, each second has a summary
const net = require('node:net');
const { performance } = require('node:perf_hooks');

const port = 7100;
const slowMs = 900;
const busyShare = 0.9;
/** Each target has source ports of its own, below the kernel's: one port to a backend directly and by its service is another test. */
const firstPort = 20_000;
const portsEach = 4000;

reportLag();
if (process.argv[2] === 'serve') serve();
else probe(JSON.parse(process.argv[3]));

function serve() {
  net
    .createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    })
    .listen(port, '0.0.0.0');
}

function probe({ targets, perSecond, stallMs, connectMs }) {
  const counts = new Map(targets.map(({ name }) => [name, { opened: 0, good: 0, failed: 0, slow: 0, streamBytes: 0 }]));
  const report = (kind, target, error) => {
    counts.get(target.name).failed += 1;
    print({ kind, target: target.name, error });
  };
  for (const [index, target] of targets.entries()) {
    const ports = { next: 0, base: firstPort + index * portsEach };
    stream(target, { stallMs, counts: counts.get(target.name), report });
    setInterval(() => connectOnce(target, { ports, connectMs, counts: counts.get(target.name), report }), 1000 / perSecond);
  }
  setInterval(() => print({ kind: 'summary', counts: Object.fromEntries(counts) }), 1000);
}

/** A process that gets no CPU answers nobody; that is not the network's fault, so it is on record. */
function reportLag() {
  let lastMs = Date.now();
  let last = performance.eventLoopUtilization();
  setInterval(() => {
    const ms = Date.now() - lastMs;
    const { utilization } = performance.eventLoopUtilization(last);
    lastMs = Date.now();
    last = performance.eventLoopUtilization();
    // Late, or always busy: who waits for the CPU while there is work is busy, too.
    if (ms > 2000 || utilization > busyShare) print({ kind: 'lag', ms });
  }, 1000);
}

function print(line) {
  console.log(JSON.stringify({ at: new Date().toISOString(), ...line }));
}

/** One connection for ever: numbered lines that must come back in order. A break is reported once, and a new one begins. */
function stream(target, { stallMs, counts, report }) {
  const socket = net.connect({ host: target.address, port });
  let sent = 0;
  let awaited = 0;
  let rest = '';
  let lastMs = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - lastMs > stallMs) finish(`nothing came back for ${stallMs} ms`);
    else if (socket.writableLength < 65_536) socket.write(`${sent++} ${'x'.repeat(1000)}\n`);
  }, 20);
  const finish = (error) => {
    clearInterval(timer);
    socket.destroy();
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    report('stream', target, error);
    setTimeout(() => stream(target, { stallMs, counts, report }), 1000);
  };
  socket.on('error', (error) => finish(error.message));
  socket.on('end', () => finish('the other end closed it'));
  socket.on('data', (part) => {
    lastMs = Date.now();
    counts.streamBytes += part.length;
    const lines = (rest + part).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (Number(line.split(' ')[0]) !== awaited++) return finish(`line ${awaited - 1} was awaited, ${line.slice(0, 12)} came`);
    }
  });
}

/** A whole short connection: open, four bytes there and back, close. */
function connectOnce(target, { ports, connectMs, counts, report }) {
  const beganMs = Date.now();
  const localPort = ports.base + (ports.next++ % portsEach);
  const socket = net.connect({ host: target.address, port, localPort });
  counts.opened += 1;
  const finish = (error) => {
    clearTimeout(timer);
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    socket.destroy();
    if (error) return report('new', target, error);
    counts.good += 1;
    if (Date.now() - beganMs > slowMs) counts.slow += 1;
  };
  const timer = setTimeout(() => finish(`no answer within ${connectMs} ms`), connectMs);
  socket.on('error', (error) => finish(error.message));
  socket.on('connect', () => socket.end('ping'));
  let got = '';
  socket.on('data', (part) => (got += part));
  socket.on('end', () => finish(got === 'ping' ? undefined : `"${got}" came back`));
}
