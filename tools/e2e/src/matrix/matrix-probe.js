// One end of the reachability matrix; runs in pods with plain Node.
//   serve NAME        TCP 7100: says NAME, then echoes; UDP 7101: answers "ask" with NAME, records "FROM VIA" datagrams;
//                     127.0.0.1:7109: the commands below
//   ask COMMAND JSON  calls a command of the server in the same pod
// Times are milliseconds of the machine's clock, which all pods of a sandbox share.
const dgram = require('node:dgram');
const http = require('node:http');
const net = require('node:net');

const [mode, first, text] = process.argv.slice(2);
const tcpPort = 7100;
const udpPort = 7101;
const commandPort = 7109;
const answerMs = 1500;
const beatMs = 25;

if (mode === 'ask') ask(first, text);
else serve(first);

function serve(name) {
  const received = new Map();
  net
    .createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.write(`${name}\n`);
      socket.pipe(socket);
    })
    .listen(tcpPort, '0.0.0.0');
  const udp = dgram.createSocket('udp4');
  udp.on('error', () => undefined);
  udp.on('message', (message, peer) => {
    const line = message.toString();
    if (line === 'ask') return udp.send(name, peer.port, peer.address);
    const times = received.get(line) ?? [];
    times.push(Date.now());
    received.set(line, times);
  });
  udp.bind(udpPort);
  const beats = beater(name);
  const commands = {
    probe: ({ targets }) => Promise.all(targets.map(probe)),
    // Targets: {name, address, hold: keep a connection, dial: open new ones}. Every target gets datagrams.
    beat: ({ targets }) => beats.set(targets),
    beaten: () => beats.take(),
    // Datagrams that arrived, as {"FROM VIA": [times]}.
    received: ({ since }) => Object.fromEntries([...received].map(([line, times]) => [line, times.filter((time) => time >= since)])),
  };
  http
    .createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const result = await commands[request.url.slice(1)](JSON.parse(Buffer.concat(parts).toString()));
      response.end(JSON.stringify(result ?? {}));
    })
    .listen(commandPort, '127.0.0.1');
}

function ask(command, body) {
  const request = http.request({ host: '127.0.0.1', port: commandPort, path: `/${command}`, method: 'POST' }, (response) => response.pipe(process.stdout));
  request.end(body);
}

async function probe({ name, address }) {
  const [tcp, udp] = await Promise.all([probeTcp(address), probeUdp(address)]);
  return { name, tcp, udp };
}

/** The name of who answered, or "!" and why nobody did. */
function probeTcp(address) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port: tcpPort });
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    setTimeout(() => finish('!timeout'), answerMs).unref();
    socket.on('error', (error) => finish(`!${error.code}`));
    socket.on('data', (data) => finish(data.toString().split('\n')[0]));
  });
}

function probeUdp(address) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    let again;
    const finish = (answer) => {
      clearInterval(again);
      clearTimeout(end);
      socket.close();
      resolve(answer);
    };
    const end = setTimeout(() => finish('!timeout'), answerMs);
    socket.on('error', (error) => finish(`!${error.code}`));
    socket.on('message', (message) => finish(message.toString()));
    socket.connect(udpPort, address, (error) => {
      if (error) return finish(`!${error.code}`);
      // UDP promises nothing: three tries.
      socket.send('ask');
      again = setInterval(() => socket.send('ask'), answerMs / 3);
    });
  });
}

/** Sends without pause what its targets ask for, and remembers how that went. */
function beater(name) {
  const udp = dgram.createSocket('udp4');
  udp.on('error', () => undefined);
  let targets = [];
  const held = new Map();
  const dialled = new Map();
  const tick = () => {
    for (const target of targets) {
      udp.send(`${name} ${target.name}`, udpPort, target.address, () => undefined);
      if (target.hold) hold(target);
      if (target.dial) dial(target);
    }
  };
  setInterval(tick, beatMs);

  function hold(target) {
    let connection = held.get(target.name);
    if (connection === undefined) {
      connection = { opened: Date.now(), lastEcho: 0, ended: '' };
      held.set(target.name, connection);
      const socket = net.connect({ host: target.address, port: tcpPort });
      connection.socket = socket;
      socket.on('data', () => (connection.lastEcho = Date.now()));
      socket.on('error', (error) => (connection.ended = error.code));
      socket.on('close', () => (connection.ended = connection.ended || 'closed'));
    }
    if (connection.ended === '') connection.socket.write('beat\n');
  }

  function dial(target) {
    const counts = dialled.get(target.name) ?? { good: 0, open: 0, failures: [] };
    dialled.set(target.name, counts);
    if (counts.open > 0) return;
    counts.open += 1;
    const began = Date.now();
    const socket = net.connect({ host: target.address, port: tcpPort });
    let isOver = false;
    const finish = (error) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(end);
      socket.destroy();
      counts.open -= 1;
      if (error === undefined) counts.good += 1;
      else counts.failures.push({ began, ended: Date.now(), error });
    };
    const end = setTimeout(() => finish('nothing came back within 8000 ms'), 8000);
    socket.on('error', (error) => finish(error.code));
    socket.on('close', () => finish('closed'));
    socket.on('data', () => finish());
  }

  return {
    set(wanted) {
      targets = wanted;
      for (const [key, { socket }] of held) {
        if (wanted.some((target) => target.name === key && target.hold)) continue;
        held.delete(key);
        socket.destroy();
      }
    },
    /** What happened since the last call. */
    take() {
      const result = {
        now: Date.now(),
        held: Object.fromEntries([...held].map(([key, { opened, lastEcho, ended }]) => [key, { opened, lastEcho, ended }])),
        dialled: Object.fromEntries([...dialled].map(([key, { good, failures }]) => [key, { good, failures }])),
      };
      for (const counts of dialled.values()) Object.assign(counts, { good: 0, failures: [] });
      return result;
    },
  };
}
