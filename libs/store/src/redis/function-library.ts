import { createHash } from 'node:crypto';
import { addressesLua } from '../functions/addresses';
import { commitLua } from '../functions/commit';
import { epochLua } from '../functions/epoch';
import { idsLua } from '../functions/ids';

const names = ['commit', 'allot', 'epoch', 'allocate', 'release', 'reclaim'] as const;

export type FunctionName = (typeof names)[number];

const body = [idsLua, commitLua, epochLua, addressesLua].join('\n');

/** Part of every name, so that two versions of this software run beside each other on one Redis. */
const version = createHash('sha256').update(body).digest('hex').slice(0, 12);

/** Name of a function in Redis. */
export function functionName(name: FunctionName): string {
  return `contrail_${version}_${name}`;
}

/** Source for FUNCTION LOAD. */
export const librarySource = [
  `#!lua name=contrail_${version}`,
  body,
  ...names.map((name) => `redis.register_function('${functionName(name)}', ${name})`),
].join('\n');
