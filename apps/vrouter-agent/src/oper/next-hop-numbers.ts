import { formatPrefix } from '@contrail/net';
import { assignSlots } from './assign-slots';
import { IdPool } from './id-pool';
import { nextHop, nextHopText } from './next-hop-values';
import type { CompositeKey, Datapath, NextHopValue, RouteValue } from '../datapath/port';
import type { Row } from './desired-table';
import type { RouteSpec } from './unit-rows';

export interface NumberedRoutes {
  readonly nextHops: ReadonlyArray<Row<number, NextHopValue>>;
  readonly composites: ReadonlyArray<Row<CompositeKey, RouteValue>>;
  /** The next hop of each route, in the order given. */
  readonly routeHops: readonly number[];
}

const gatewayHop = nextHop('gateway');

/**
 * Numbers of next hops. A plain next hop is known by its content and shared by all routes with the
 * same; an ECMP next hop belongs to its route, so that its number stays while members change.
 */
export class NextHopNumbers {
  readonly #pool = new IdPool();
  /** Slots of each ECMP next hop, as texts of its members. */
  readonly #slots = new Map<string, string[]>();

  /** Takes over what the datapath holds, so that equal content keeps its number. */
  readBack(datapath: Datapath): void {
    const plain = new Map<number, string>();
    const composites = new Map<number, number>();
    for (const [id, value] of datapath.nextHops.dump()) {
      if (value.kind === 'composite') composites.set(id, value.memberCount);
      else plain.set(id, nextHopText(value));
    }
    for (const [id, text] of plain) this.#pool.adopt(text, id);
    const adopt = (text: string, id: number): void => {
      const memberCount = composites.get(id);
      if (memberCount === undefined) return;
      this.#pool.adopt(text, id);
      const slots = Array.from({ length: memberCount }, (_, slot) => {
        const member = datapath.composites.get({ nextHop: id, slot });
        return (member && plain.get(member.nextHop)) ?? '';
      });
      this.#slots.set(text, slots);
    };
    for (const [key, { nextHop: id }] of datapath.hostRoutes.dump()) {
      const prefix = { address: key.address, length: key.address.length * 8 };
      adopt(ecmpText({ vrf: key.vrf, prefix }), id);
    }
    for (const [key, { nextHop: id }] of datapath.prefixRoutes.dump()) adopt(ecmpText(key), id);
  }

  /** Numbers the routes of one unit; next hops that it no longer uses are released. */
  assign(unit: string, routes: readonly RouteSpec[], withGateway: boolean): NumberedRoutes {
    const before = this.#pool.heldBy(unit);
    const used = new Set<string>();
    const nextHops = new Map<number, NextHopValue>();
    const composites: Array<Row<CompositeKey, RouteValue>> = [];
    const number = (text: string, value: NextHopValue): number => {
      const id = this.#pool.acquire(unit, text);
      used.add(text);
      nextHops.set(id, value);
      return id;
    };
    const routeHops = routes.map((route) => {
      const [first, ...others] = route.members;
      if (first && others.length === 0) return number(nextHopText(first), first);
      const members = new Map(route.members.map((value) => [nextHopText(value), value]));
      const slots = this.#assignSlots(ecmpText(route), [...members.keys()]);
      const id = number(ecmpText(route), nextHop('composite', { memberCount: slots.length }));
      for (const [slot, text] of slots.entries()) {
        const member = members.get(text);
        if (member) composites.push([{ nextHop: id, slot }, { nextHop: number(text, member) }]);
      }
      return id;
    });
    if (withGateway) routeHops.push(number(nextHopText(gatewayHop), gatewayHop));
    for (const text of before) if (!used.has(text)) this.#release(unit, text);
    return { nextHops: [...nextHops], composites, routeHops };
  }

  /** After the sweep: numbers from before the restart that nobody asked for. */
  releaseUnowned(): void {
    for (const text of this.#pool.releaseUnowned()) this.#slots.delete(text);
  }

  #assignSlots(text: string, members: readonly string[]): string[] {
    const slots = assignSlots(this.#slots.get(text) ?? [], members);
    this.#slots.set(text, slots);
    return slots;
  }

  #release(unit: string, text: string): void {
    this.#pool.release(unit, text);
    this.#slots.delete(text);
  }
}

function ecmpText(route: Pick<RouteSpec, 'vrf' | 'prefix'>): string {
  return `ecmp|${route.vrf}|${formatPrefix(route.prefix)}`;
}
