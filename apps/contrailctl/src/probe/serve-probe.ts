import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** What a prober sends to learn who is there by UDP. */
export const question = 'who';

export interface ProbePorts {
  /** 0: any that is free. */
  readonly tcp: number;
  readonly udp: number;
}

export interface RunningProbe {
  readonly ports: ProbePorts;
  stop(): Promise<void>;
}

/** Tells everybody who connects, or asks by UDP, the name. */
export async function serveProbe(name: string, ports: ProbePorts): Promise<RunningProbe> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`${name}\n`);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(ports.tcp, '0.0.0.0', resolve));
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    if (message.toString() === question) socket.send(name, port, address);
  });
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(ports.udp, resolve));
  // A peer that is gone is no reason to stop.
  socket.removeAllListeners('error').on('error', () => undefined);
  return {
    ports: { tcp: (server.address() as AddressInfo).port, udp: socket.address().port },
    stop: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
