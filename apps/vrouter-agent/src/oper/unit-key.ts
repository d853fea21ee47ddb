import type { Entry, EntryKey, RouteKey, ServiceKey } from '@contrail/proto-gen/control/v1/messages';
import { formatAddress } from '@contrail/net';

/**
 * Names one entry of the control stream: "route/7/192.0.2.0/24". The text is what an Ack's
 * exception carries, and the owner of every row that the entry leads to.
 */
export type UnitKey = string;

export type EntryKind = NonNullable<Entry['kind']>;

export const globalUnit: UnitKey = 'global';

/** @returns undefined for a kind that this agent does not know. */
export function unitOfEntry(kind: EntryKind): UnitKey | undefined {
  switch (kind.$case) {
    case 'global':
      return globalUnit;
    case 'node':
      return nodeUnit(kind.value.name);
    case 'vrf':
      return `vrf/${kind.value.id}`;
    case 'label':
      return `label/${kind.value.label}`;
    case 'interface':
      return interfaceUnit(kind.value.uuid);
    case 'route':
      return kind.value.key && routeUnit(kind.value.key);
    case 'service':
      return kind.value.key && serviceUnit(kind.value.key);
    case 'policy':
      return policyUnit(kind.value.id);
    case 'identity':
      return `identity/${kind.value.id}`;
  }
}

/** @returns undefined for an empty key. */
export function unitOfKey(key: EntryKey): UnitKey | undefined {
  const kind = key.kind;
  if (!kind) return undefined;
  switch (kind.$case) {
    case 'node':
      return nodeUnit(kind.value);
    case 'vrf':
      return `vrf/${kind.value}`;
    case 'label':
      return `label/${kind.value}`;
    case 'interface':
      return interfaceUnit(kind.value);
    case 'route':
      return routeUnit(kind.value);
    case 'service':
      return serviceUnit(kind.value);
    case 'policy':
      return policyUnit(kind.value);
    case 'identity':
      return `identity/${kind.value}`;
  }
}

export function nodeUnit(name: string): UnitKey {
  return `node/${name}`;
}

export function interfaceUnit(uuid: string): UnitKey {
  return `interface/${uuid}`;
}

export function policyUnit(id: number): UnitKey {
  return `policy/${id}`;
}

export function routeUnit(key: RouteKey): UnitKey {
  return `route/${key.vrf}/${addressText(key.prefix?.address)}/${key.prefix?.length ?? 0}`;
}

export function serviceUnit(key: ServiceKey): UnitKey {
  return `service/${key.vrf}/${addressText(key.address)}/${key.protocol}/${key.port}`;
}

/** Malformed addresses get a text too: the entry must be nameable in an exception. */
function addressText(address: Uint8Array | undefined): string {
  if (address?.length === 4 || address?.length === 16) return formatAddress(address);
  return `0x${Buffer.from(address ?? []).toString('hex')}`;
}
