import { createSocket, type RemoteInfo } from 'node:dgram';
import { ContrailError } from '@contrail/errors';
import { logger } from '@contrail/telemetry';
import { clientOf } from './client-address';
import { countDropped } from './metrics';
import type { Responder } from './responder';

export interface ListeningServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** The kernel queues what comes while we work: about 10 000 questions. */
const receiveBufferBytes = 1 << 20;
const log = logger('udp');

/** Answers datagrams. @throws ContrailError UNAVAILABLE when the address cannot be bound. */
export async function startUdpServer(address: ListenAddress, responder: Responder): Promise<ListeningServer> {
  const type = address.host.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type, recvBufferSize: receiveBufferBytes });
  const send = (answer: Buffer | undefined, remote: RemoteInfo): void => {
    if (answer === undefined) return;
    // The client may be gone; there is nobody to tell.
    socket.send(answer, remote.port, remote.address, () => undefined);
  };
  socket.on('message', (message, remote) => {
    if (remote.port === 0) {
      countDropped('no question');
      return;
    }
    const answer = responder.respond(message, clientOf(remote.address, 'udp'));
    if (answer instanceof Promise) void answer.then((bytes) => send(bytes, remote));
    else send(answer, remote);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) => {
      const where = `${address.host}:${address.port}/udp`;
      reject(new ContrailError('UNAVAILABLE', `cannot listen on ${where}; is another process there?`, { cause }));
    });
    socket.bind(address.port, address.host, resolve);
  });
  socket.on('error', (error) => log.error('socket failed', { error }));
  return {
    port: socket.address().port,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
