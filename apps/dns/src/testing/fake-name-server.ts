import { createSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { decode, type Packet } from 'dns-packet';
import { onOnePort } from '../serve/on-one-port';
import type { ListeningServer } from '../serve/udp-server';
import { upstreamBytes } from './upstream';

export interface FakeNameServer {
  readonly host: string;
  readonly port: number;
  /** Names asked for, in order, with the transport: `udp www.example.com`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/**
 * Another name server on the loopback address, by UDP and TCP.
 *
 * @param answerTo what it says to a name; undefined: it says nothing at all.
 */
export async function startFakeNameServer(
  answerTo: (name: string, transport: 'udp' | 'tcp') => Partial<Packet> | undefined,
): Promise<FakeNameServer> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const answer = (message: Buffer, transport: 'udp' | 'tcp'): Buffer | undefined => {
    const name = decode(message).questions?.[0]?.name ?? '';
    asked.push(`${transport} ${name}`);
    const packet = answerTo(name, transport);
    return packet && upstreamBytes(message, packet);
  };
  const startUdp = (port: number): Promise<ListeningServer> => {
    const socket = createSocket('udp4');
    socket.on('message', (message, remote) => {
      const bytes = answer(message, 'udp');
      if (bytes !== undefined) socket.send(bytes, remote.port, remote.address);
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject).bind(port, '127.0.0.1', () =>
        resolve({ port: socket.address().port, stop: () => new Promise((done) => socket.close(() => done())) }));
    });
  };
  const startTcp = (port: number): Promise<Server> => {
    const server = createServer((socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        const bytes = answer(chunk.subarray(2), 'tcp');
        if (bytes === undefined) return;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(bytes.length);
        socket.write(Buffer.concat([length, bytes]));
      });
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
    });
  };
  const { udp, tcp } = await onOnePort(0, startUdp, startTcp);
  return {
    host: '127.0.0.1',
    port: udp.port,
    asked,
    stop: async () => {
      for (const socket of open) socket.destroy();
      await Promise.all([
        udp.stop(),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}
