import { addressKey } from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';

/**
 * A unit compiles to one entry of the agents' state, or to none. Its key never names anything but that
 * entry: VRFs, identities and policies appear by the texts for which their numbers were allotted.
 */
export type Unit = { readonly key: string } & (
  | { readonly kind: 'global' }
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'identity'; readonly text: string }
  | { readonly kind: 'vrf'; readonly instance: string }
  /** A label is for senders of an identity into a VRF. */
  | { readonly kind: 'label'; readonly instance: string; readonly identity: string }
  | { readonly kind: 'policy'; readonly text: string }
  | { readonly kind: 'interface'; readonly uuid: string }
  | { readonly kind: 'route'; readonly instance: string; readonly prefix: Prefix }
  | ({ readonly kind: 'service'; readonly instance: string } & ServicePort)
);

export interface ServicePort {
  readonly address: Address;
  readonly protocol: number;
  readonly port: number;
}

export type UnitKind = Unit['kind'];

export type UnitOf<K extends UnitKind> = Extract<Unit, { kind: K }>;

/** An entry refers only to entries of kinds before its own: agents get them in this order and lose them in the reverse. */
export const unitKinds: readonly UnitKind[] = [
  'global',
  'node',
  'identity',
  'vrf',
  'label',
  'policy',
  'interface',
  'route',
  'service',
];

export const globalUnit: Unit = { kind: 'global', key: 'global' };

export function nodeUnit(name: string): Unit {
  return { kind: 'node', key: `node/${name}`, name };
}

export function identityUnit(text: string): Unit {
  return { kind: 'identity', key: `identity/${text}`, text };
}

export function vrfUnit(instance: string): Unit {
  return { kind: 'vrf', key: `vrf/${instance}`, instance };
}

export function labelUnit(instance: string, identity: string): Unit {
  return { kind: 'label', key: `label/${instance}/${identity}`, instance, identity };
}

export function policyUnit(text: string): Unit {
  return { kind: 'policy', key: `policy/${text}`, text };
}

export function interfaceUnit(uuid: string): Unit {
  return { kind: 'interface', key: `interface/${uuid}`, uuid };
}

export function routeUnit(instance: string, prefix: Prefix): Unit {
  return { kind: 'route', key: `route/${instance}/${addressKey(prefix.address)}/${prefix.length}`, instance, prefix };
}

export function hostRouteUnit(instance: string, address: Address): Unit {
  return routeUnit(instance, { address, length: 8 * address.length });
}

export function serviceUnit(instance: string, service: ServicePort): Unit {
  const { address, protocol, port } = service;
  const key = `service/${instance}/${addressKey(address)}/${protocol}/${port}`;
  return { kind: 'service', key, instance, address, protocol, port };
}
