import { addressKey, parseAddress, prefixContains } from '@contrail/net';
import type { Address } from '@contrail/net';
import { Direction, Verdict } from '@contrail/proto-gen/control/v1/messages';
import type { Interface, PolicyRule, Route, Service } from '@contrail/proto-gen/control/v1/messages';
import type { Compiled } from './compiled';

/** uuid of an interface, or of a node its name. */
export type Sender = { readonly interfaceUuid: string } | { readonly node: string };

export interface Packet {
  readonly address: string;
  /** IP protocol number. */
  readonly protocol: number;
  readonly port: number;
}

interface Origin {
  readonly vrf: number;
  readonly identity: number;
  /** Undefined: a node, to which no policy applies. */
  readonly policy: number | undefined;
}

interface Judged {
  readonly direction: Direction;
  readonly peerIdentity: number;
  readonly protocol: number;
  readonly port: number;
}

/** Forwards first packets by the compiled entries, as the datapath does. */
export class PacketWalk {
  readonly #services = new Map<string, Service>();
  readonly #routes = new Map<number, Route[]>();
  readonly #interfaces: ReadonlyMap<string, Interface>;
  readonly #compiled: Compiled;
  readonly #labels: ReadonlySet<string>;

  constructor(compiled: Compiled) {
    this.#compiled = compiled;
    for (const service of compiled.find('service')) {
      const { vrf, address, protocol, port } = service.key ?? { vrf: 0, address: new Uint8Array(), protocol: 0, port: 0 };
      this.#services.set(`${vrf} ${addressKey(address)} ${protocol} ${port}`, service);
    }
    for (const route of compiled.find('route')) {
      const vrf = route.key?.vrf ?? 0;
      this.#routes.set(vrf, [...(this.#routes.get(vrf) ?? []), route]);
    }
    this.#interfaces = new Map(compiled.find('interface').map((found) => [found.uuid, found]));
    this.#labels = new Set(compiled.find('label').map(({ vrf, identity }) => `${vrf} ${identity}`));
  }

  /** `pass`, `outside`, or what stops the packet; a denied one with the name of the rule. */
  send(sender: Sender, { address, protocol, port }: Packet): string {
    const from = this.#origin(sender);
    const destination = parseAddress(address);
    const service = this.#services.get(`${from.vrf} ${addressKey(destination)} ${protocol} ${port}`);
    const backend = service?.backends[0];
    if (service !== undefined && backend === undefined) return 'refused';
    const to = { address: backend?.address ?? destination, vrf: backend?.vrf ?? from.vrf, port: backend?.port ?? port };
    const route = this.#route(to.vrf, to.address);
    const hop = route?.paths[0]?.nextHop;
    if (route === undefined || hop === undefined || hop.$case === 'discard') return 'no route';
    if (hop.$case === 'fabric') return 'outside';
    const direction = service === undefined ? Direction.DIRECTION_EGRESS : Direction.DIRECTION_EGRESS_TO_SERVICE;
    if (hop.$case === 'node') return this.#judge(from.policy, { direction, peerIdentity: route.identity, protocol, port: to.port });
    const target = hop.$case === 'interface' ? this.#interfaces.get(hop.value.interfaceUuid) : undefined;
    if (target === undefined) return 'not programmed';
    if (!this.#labels.has(`${target.vrf} ${from.identity}`)) return 'no label';
    if (!this.#labels.has(`${from.vrf} ${target.identity}`)) return 'no label for answers';
    const asked = { protocol, port: to.port };
    const egress = this.#judge(from.policy, { direction, peerIdentity: target.identity, ...asked });
    if (egress !== 'pass') return egress;
    return this.#judge(target.policy, { direction: Direction.DIRECTION_INGRESS, peerIdentity: from.identity, ...asked });
  }

  #origin(sender: Sender): Origin {
    if ('node' in sender) {
      const [global] = this.#compiled.find('global');
      return { vrf: global?.fabricVrf ?? 0, identity: global?.hostIdentity ?? 0, policy: undefined };
    }
    const found = this.#interfaces.get(sender.interfaceUuid);
    if (found === undefined) throw new Error(`interface ${sender.interfaceUuid} is not compiled`);
    return found;
  }

  #route(vrf: number, address: Address): Route | undefined {
    let best: Route | undefined;
    for (const route of this.#routes.get(vrf) ?? []) {
      const prefix = route.key?.prefix;
      if (prefix === undefined || !prefixContains(prefix, address)) continue;
      if (best === undefined || prefix.length > (best.key?.prefix?.length ?? -1)) best = route;
    }
    return best;
  }

  #judge(policy: number | undefined, packet: Judged): string {
    if (policy === undefined) return 'pass';
    const table = this.#compiled.find('policy').find(({ id }) => id === policy);
    if (table === undefined) return 'closed';
    const row = findRow(table.rules, packet);
    if (row !== undefined) return row.verdict === Verdict.VERDICT_PASS ? 'pass' : row.ruleName;
    if (packet.direction === Direction.DIRECTION_EGRESS_TO_SERVICE) {
      return this.#judge(policy, { ...packet, direction: Direction.DIRECTION_EGRESS });
    }
    const verdict = packet.direction === Direction.DIRECTION_INGRESS ? table.defaultIngress : table.defaultEgress;
    return verdict === Verdict.VERDICT_PASS ? 'pass' : 'default';
  }
}

/** The peer's own rows before those of any; of these the longest match. */
function findRow(rules: readonly PolicyRule[], { direction, peerIdentity, protocol, port }: Judged): PolicyRule | undefined {
  for (const peer of [peerIdentity, 0]) {
    const [best] = rules
      .filter((rule) => rule.direction === direction && rule.peerIdentity === peer)
      .filter((rule) => rule.protocol === 0 || rule.protocol === protocol)
      .filter((rule) => rule.protocol === 0 || port >> (16 - rule.portPrefixLength) === rule.port >> (16 - rule.portPrefixLength))
      .sort((a, b) => Number(b.protocol !== 0) - Number(a.protocol !== 0) || b.portPrefixLength - a.portPrefixLength);
    if (best !== undefined) return best;
  }
  return undefined;
}
