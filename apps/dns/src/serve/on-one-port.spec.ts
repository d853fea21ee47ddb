import { createServer, type AddressInfo, type Server } from 'node:net';
import { createSocket } from 'node:dgram';
import { onOnePort } from './on-one-port';
import type { ListeningServer } from './udp-server';

function listenTcp(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

function listenUdp(port: number): Promise<ListeningServer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject).bind(port, '127.0.0.1', () =>
      resolve({ port: socket.address().port, stop: () => new Promise((done) => socket.close(() => done())) }));
  });
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
const portOf = (server: Server): number => (server.address() as AddressInfo).port;

describe('a UDP and a TCP server on one port', () => {
  let taken: Server;

  beforeEach(async () => {
    taken = await listenTcp(0);
  });

  afterEach(() => close(taken));

  it('takes another port when TCP has the one that the kernel chose', async () => {
    const offered = [portOf(taken), 0];
    const { udp, tcp } = await onOnePort(0, () => listenUdp(offered.shift() ?? 0), listenTcp);
    try {
      expect(udp.port).toBe(portOf(tcp));
      expect(udp.port).not.toBe(portOf(taken));
      expect(offered).toEqual([]);
    } finally {
      await Promise.all([udp.stop(), close(tcp)]);
    }
  });

  it('fails on the port that was asked for, and leaves it', async () => {
    const port = portOf(taken);
    await expect(onOnePort(port, listenUdp, listenTcp)).rejects.toThrow(/EADDRINUSE/);
    await (await listenUdp(port)).stop();
  });
});
