import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ContrailError } from '@contrail/errors';
import { clientOf } from './client-address';
import { countDropped } from './metrics';
import type { Client, Responder } from './responder';
import type { ListenAddress, ListeningServer } from './udp-server';

export interface TcpLimits {
  readonly connectionsMax: number;
  readonly connectionsPerClientMax: number;
  /** A connection without a question for so long is closed. */
  readonly idleMs: number;
}

export interface TcpServer extends ListeningServer {
  readonly connections: () => number;
}

/** Questions of one connection that are answered at the same time; further ones wait in the kernel. */
const underWayMax = 64;
/** A client that does not read its answers loses its connection. */
const unsentBytesMax = 1 << 20;
const queryBytesMax = 4096;

/**
 * Answers questions by TCP: several on one connection, answers in the order in which they are ready (RFC 7766).
 *
 * @throws ContrailError UNAVAILABLE when the address cannot be bound.
 */
export async function startTcpServer(
  address: ListenAddress,
  responder: Responder,
  limits: TcpLimits,
): Promise<TcpServer> {
  const open = new Set<Socket>();
  const byClient = new Map<string, number>();
  const server = createServer((socket) => {
    const client = clientOf(socket.remoteAddress ?? '', 'tcp');
    const count = byClient.get(client.name) ?? 0;
    if (open.size >= limits.connectionsMax || count >= limits.connectionsPerClientMax) {
      countDropped('too many connections');
      socket.destroy();
      return;
    }
    open.add(socket);
    byClient.set(client.name, count + 1);
    socket.once('close', () => {
      open.delete(socket);
      const left = (byClient.get(client.name) ?? 1) - 1;
      if (left > 0) byClient.set(client.name, left);
      else byClient.delete(client.name);
    });
    serveConnection(socket, client, responder, limits);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${address.host}:${address.port}/tcp`;
      reject(new ContrailError('UNAVAILABLE', `cannot listen on ${where}; is another process there?`, { cause }));
    });
    server.listen(address.port, address.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => open.size,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function serveConnection(socket: Socket, client: Client, responder: Responder, limits: TcpLimits): void {
  let received: Buffer = Buffer.alloc(0);
  let underWay = 0;
  const send = (answer: Buffer | undefined): void => {
    if (answer === undefined || socket.destroyed) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    socket.write(Buffer.concat([length, answer]));
    if (socket.writableLength > unsentBytesMax) {
      countDropped('slow reader');
      socket.destroy();
    }
  };
  const answerNext = (): void => {
    while (underWay < underWayMax && received.length >= 2 && !socket.destroyed) {
      const length = received.readUInt16BE(0);
      if (length > queryBytesMax) {
        countDropped('too long');
        socket.destroy();
        return;
      }
      if (received.length < 2 + length) break;
      const answer = responder.respond(received.subarray(2, 2 + length), client);
      received = received.subarray(2 + length);
      if (!(answer instanceof Promise)) {
        send(answer);
        continue;
      }
      underWay += 1;
      void answer.then((bytes) => {
        underWay -= 1;
        send(bytes);
        answerNext();
      });
    }
    if (underWay < underWayMax) socket.resume();
    else socket.pause();
  };
  socket.setNoDelay(true);
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  // Closed or reset by the client: nothing is owed to it any more.
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    answerNext();
  });
}
