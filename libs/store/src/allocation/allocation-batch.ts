import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { Reply } from '../redis/connection';
import { candidatesAfter, layoutOf, rangeKeys } from './candidates';
import type { PoolLayout, PoolSubnet } from './candidates';
import { decodeAddress, decodeHolder } from './holder';
import type { Holder } from './holder';

export interface AllocationItem {
  readonly network: string;
  readonly owner: string;
  /** Type of the resource that `owner` names; '' when it is no resource. */
  readonly ownerType: string;
  readonly family: 4 | 6;
  /** Where to look, in this order; all of the family. With `address`: the one that contains it. */
  readonly subnets: readonly PoolSubnet[];
  /** `subnets` are all of the network's: a further one would do, too. */
  readonly anySubnet: boolean;
  /** Exactly this one; undefined: any. */
  readonly address: Address | undefined;
  /** Somebody else chose the address; it is only recorded. */
  readonly reserved: boolean;
  readonly description: string;
}

export type AllocationOutcome =
  | { readonly kind: 'allocated'; readonly subnet: PoolSubnet; readonly address: Address }
  | { readonly kind: 'in-use'; readonly subnet: PoolSubnet; readonly holder: Holder }
  | { readonly kind: 'exhausted' };

/** Released addresses that wait while never-used ones are given; beyond, the oldest goes first. */
const freedMax = 16_384;
const spareCandidates = 16;
const candidatesMax = 4_096;

interface BatchSubnet {
  readonly subnet: PoolSubnet;
  readonly layout: PoolLayout;
  /** Items that may take an address here. */
  wanted: number;
  /** Last address handed out; undefined: none of this definition. */
  position: string | undefined;
}

/** The items of one call, and the subnets among which they choose, each once. */
export class AllocationBatch {
  readonly subnets: BatchSubnet[] = [];
  readonly #items: readonly AllocationItem[];
  readonly #indexes = new Map<string, number>();

  constructor(items: readonly AllocationItem[]) {
    this.#items = items;
    for (const subnet of items.flatMap((item) => item.subnets)) {
      const known = this.subnets[this.#indexes.get(subnet.uuid) ?? -1];
      if (known !== undefined) known.wanted += 1;
      else {
        this.#indexes.set(subnet.uuid, this.subnets.length);
        this.subnets.push({ subnet, layout: layoutOf(subnet), wanted: 1, position: undefined });
      }
    }
  }

  /**
   * What the function `allocate` takes.
   * @param round how often items of this batch found too few candidates before.
   */
  request({
    round,
    quarantineMs,
  }: {
    readonly round: number;
    readonly quarantineMs: number;
  }): object {
    const subnets = this.subnets.map(({ subnet, layout, wanted, position }) => {
      const count = Math.min(candidatesMax, (wanted + spareCandidates) * 2 ** Math.min(round, 10));
      const { addresses, complete } = candidatesAfter(layout, position, count);
      return {
        id: subnet.uuid,
        definition: layout.definition,
        ranges: rangeKeys(layout),
        candidates: addresses,
        complete,
        fromStart: layout.fromStart,
      };
    });
    const items = this.#items.map((item) => ({
      network: item.network,
      owner: item.owner,
      ownerType: item.ownerType,
      family: String(item.family),
      anySubnet: item.anySubnet,
      // Lua counts from 1.
      choices: item.subnets.map(({ uuid }) => (this.#indexes.get(uuid) ?? -1) + 1),
      ...(item.address === undefined ? {} : { address: addressKey(item.address) }),
      reserved: item.reserved,
      description: item.description,
    }));
    return { subnets, items, quarantineMs, freedMax };
  }

  /** The answer for one item; 'more' when it has to be asked again with further candidates. */
  decode([kind, choice, text]: readonly Reply[]): AllocationOutcome | 'more' {
    const subnet = this.subnets[Number(choice) - 1]?.subnet;
    const outcome = String(kind);
    if (outcome === 'more') return 'more';
    if (subnet === undefined || outcome === 'exhausted') return { kind: 'exhausted' };
    if (outcome === 'in-use') return { kind: 'in-use', subnet, holder: decodeHolder(String(text)) };
    return { kind: 'allocated', subnet, address: decodeAddress(String(text)) };
  }
}
