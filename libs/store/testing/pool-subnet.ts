import { parseAddress, parsePrefix } from '@contrail/net';
import { defaultServiceAddresses } from '@contrail/resource-model';
import type { PoolSubnet } from '../src/allocation/candidates';

/** A subnet with R21's gateway and DNS address, and with `changes`. @param text its prefix. */
export function poolSubnet(text: string, changes: Partial<PoolSubnet> = {}): PoolSubnet {
  const prefix = parsePrefix(text);
  const defaults = defaultServiceAddresses(prefix, changes.fromStart ?? false);
  return {
    uuid: `subnet-${text}`,
    prefix,
    ...defaults,
    fromStart: false,
    pools: [],
    exclusions: [],
    unit: 1,
    ...changes,
  };
}

export function addressRange(start: string, end: string): PoolSubnet['pools'][number] {
  return { start: parseAddress(start), end: parseAddress(end) };
}
