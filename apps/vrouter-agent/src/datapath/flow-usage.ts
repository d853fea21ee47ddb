/** Records of each owner, as `bpf/usage.h` counts them. */
import type { KernelMap } from './bpf/kernel-map';
import type { FlowValue } from './flow-view';
import { flowFlags, ownerScopes, ownerStruct, usageStruct } from './layout/flow-structs';

export interface FlowOwner {
  /** OWNER_… and a VLAN tag or a VRF. */
  readonly scope: number;
  readonly id: number;
}

const numberBits = 0x00ff_ffff;

export const vifOwner = (ifindex: number, vlan: number): FlowOwner => ({
  scope: ownerScopes.vif | vlan,
  id: ifindex,
});
export const vrfOwner = (vrf: number): FlowOwner => ({ scope: ownerScopes.vrf | vrf, id: 0 });

/** Whom a record counts for: the end that began, and its VRF when that has a limit. */
export function ownersOf(value: FlowValue): FlowOwner[] {
  const owner = ownerStruct.decode(Buffer.from(value.owner));
  const isRemote = (owner.scope & ~numberBits) === ownerScopes.remote;
  const isCounted = (value.flags & flowFlags.vrfCounted) !== 0;
  return [
    ...(owner.scope === 0 ? [] : [owner]),
    ...(isCounted ? [vrfOwner(isRemote ? owner.scope & numberBits : value.vrf)] : []),
  ];
}

/** The lower half of the state is the count, the upper how often it changed. */
const countOf = (state: bigint): number => Number(BigInt.asIntN(32, state));

export function readUsage(map: KernelMap, owner: FlowOwner): number {
  const bytes = map.lookup(ownerStruct.encode(owner));
  return bytes === undefined ? 0 : Math.max(0, countOf(usageStruct.decode(bytes).state));
}

/**
 * Counts anew for kernels that cannot do it themselves. `before` is read before the records are; an
 * owner whose count changed meanwhile is left for the next time.
 */
export class Recount {
  readonly #before: ReadonlyMap<string, bigint>;
  readonly #seen = new Map<string, number>();

  constructor(private readonly map: KernelMap) {
    this.#before = new Map(
      [...map.entries()].map(({ key, value }) => [key.toString('hex'), usageStruct.decode(value).state]),
    );
  }

  see(value: FlowValue): void {
    for (const owner of ownersOf(value)) {
      const key = ownerStruct.encode(owner).toString('hex');
      this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
    }
  }

  finish(): void {
    for (const { key, value } of [...this.map.entries()]) {
      const usage = usageStruct.decode(value);
      const seen = this.#seen.get(key.toString('hex')) ?? 0;
      if (this.#before.get(key.toString('hex')) !== usage.state) continue;
      if (countOf(usage.state) !== seen) {
        const state = ((usage.state >> 32n) << 32n) | BigInt(seen);
        this.map.update(key, usageStruct.encode({ ...usage, state }));
      } else if (seen === 0) {
        this.map.remove(key);
      }
    }
  }
}
