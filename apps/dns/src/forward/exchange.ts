import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { ContrailError } from '@contrail/errors';
import type { Query } from '../wire/query';
import { parseUpstream, writeUpstreamQuery, type UpstreamMessage } from '../wire/upstream-message';
import { formatUpstream, type Upstream } from './resolv-conf';

/**
 * Asks one name server by UDP and, when its answer was cut, again by TCP.
 *
 * @throws ContrailError DEADLINE_EXCEEDED or UNAVAILABLE that names the server.
 */
export async function exchange(upstream: Upstream, query: Query, timeoutMs: number): Promise<UpstreamMessage> {
  const byDatagram = await exchangeUdp(upstream, query, timeoutMs);
  return byDatagram.isTruncated ? exchangeTcp(upstream, query, timeoutMs) : byDatagram;
}

/** Each question has a socket of its own: an unguessable port besides the unguessable id. */
function exchangeUdp(upstream: Upstream, query: Query, timeoutMs: number): Promise<UpstreamMessage> {
  return new Promise((resolve, reject) => {
    const id = randomInt(0x10000);
    const socket = createSocket(upstream.host.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => {
      fail(timedOut(upstream, timeoutMs));
    }, timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      socket.close();
    };
    const fail = (error: ContrailError): void => {
      end();
      reject(error);
    };
    socket.once('error', (cause) => {
      fail(unreachable(upstream, cause));
    });
    socket.on('message', (message) => {
      const answer = parseUpstream(message, { id, question: query.question });
      // Something else than the answer may be a forgery; the true answer may still come.
      if (answer === undefined) return;
      end();
      resolve(answer);
    });
    socket.connect(upstream.port, upstream.host, () => {
      socket.send(writeUpstreamQuery(query, id));
    });
  });
}

function exchangeTcp(upstream: Upstream, query: Query, timeoutMs: number): Promise<UpstreamMessage> {
  return new Promise((resolve, reject) => {
    const id = randomInt(0x10000);
    const socket = connect(upstream.port, upstream.host);
    const chunks: Buffer[] = [];
    const fail = (error: ContrailError): void => {
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      fail(timedOut(upstream, timeoutMs));
    }, timeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      reject(unreachable(upstream, 'it closed the connection without an answer'));
    });
    socket.once('error', (cause) => {
      fail(unreachable(upstream, cause));
    });
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const received = Buffer.concat(chunks);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const message = received.subarray(2, 2 + received.readUInt16BE(0));
      const answer = parseUpstream(message, { id, question: query.question });
      if (answer === undefined) fail(unreachable(upstream, 'its answer by TCP is no answer to the question'));
      else resolve(answer);
      socket.destroy();
    });
    const question = writeUpstreamQuery(query, id);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(question.length);
    socket.write(Buffer.concat([length, question]));
  });
}

function timedOut(upstream: Upstream, timeoutMs: number): ContrailError {
  return new ContrailError('DEADLINE_EXCEEDED', `name server ${formatUpstream(upstream)}: no answer within ${timeoutMs} ms`);
}

function unreachable(upstream: Upstream, cause: unknown): ContrailError {
  return new ContrailError('UNAVAILABLE', `name server ${formatUpstream(upstream)}: cannot be asked`, { cause });
}
