import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { toJsonText } from '../wire/json';
import type { Reply } from './request';

/** A client that takes nothing for so long is dropped. */
const stallMsMax = 30_000;

/** Writes an answer no faster than the client takes it. */
export async function writeReply(response: ServerResponse, reply: Reply): Promise<void> {
  switch (reply.kind) {
    case 'empty':
      response.writeHead(reply.status ?? 200, { 'content-length': 0 }).end();
      return;
    case 'json': {
      const text = toJsonText(reply.body);
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
        ...reply.headers,
      };
      response.writeHead(reply.status ?? 200, headers).end(text);
      return;
    }
    case 'stream':
      await writeStream(response, reply.pieces);
  }
}

/** The first piece decides: until it is there, an error still gets its own status. */
async function writeStream(response: ServerResponse, pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) {
    if (response.destroyed) return;
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

async function drained(response: ServerResponse): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => response.destroy(), stallMsMax);
  try {
    await Promise.race([
      once(response, 'drain', { signal: controller.signal }),
      once(response, 'close', { signal: controller.signal }),
    ]);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** An error as text, the form that clients of the original show to their users. */
export function writeError(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    // Half an answer is on its way; only a broken connection says that it is not whole.
    response.destroy();
    return;
  }
  const body = Buffer.from(text, 'utf8');
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="contrail"' } : {}),
      // The rest of a refused body is not waited for.
      ...(status === 413 ? { connection: 'close' } : {}),
    })
    .end(body);
}
