import type { IncomingMessage } from 'node:http';
import { parseJson } from '../wire/parse-json';
import type { Json } from '../wire/json';
import { RestError } from './rest-error';

export const bodyBytesMax = 1_024_000;

/** The body as JSON; null when there is none. @throws RestError 413, ContrailError INVALID_ARGUMENT */
export async function readBody(request: IncomingMessage): Promise<Json> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bodyBytesMax) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return text.trim() === '' ? null : parseJson(text);
}

function tooLarge(): RestError {
  return new RestError(413, `body: is longer than ${bodyBytesMax} bytes; send less at once`);
}
