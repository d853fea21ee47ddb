import { ContrailError } from '@contrail/errors';
import type { Json } from './json';

export const jsonDepthMax = 32;

/**
 * Parses a request body. Depth is counted before parsing, so that deep nesting costs one pass.
 * @throws ContrailError INVALID_ARGUMENT for text that is no JSON, or too deep.
 */
export function parseJson(text: string): Json {
  if (depthOf(text) > jsonDepthMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `body: nests deeper than ${jsonDepthMax} levels; send a flatter document`,
    );
  }
  try {
    return JSON.parse(text, withoutPrototype) as Json;
  } catch (cause) {
    throw new ContrailError('INVALID_ARGUMENT', `body: is no JSON document: ${reasonOf(cause)}`, {
      cause,
    });
  }
}

/** A member of this name would change the prototype of what it is copied to. */
function withoutPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return deepest;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 120) : 'cannot be read';
}
