import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { Model } from '../model/model';
import type { InterfaceObject } from '../model/model-object';

/** An interface that has an address. */
export interface Host {
  readonly interface: InterfaceObject;
  /** By an AliasIp: known in the interface's own VRF and to the nodes, in no other. */
  readonly isAlias: boolean;
}

/** Every interface that has the address, in whatever network, those of services too; in order of uuid, aliases last. */
export function hostsAt(model: Model, address: Address): Host[] {
  const key = addressKey(address);
  return [
    ...hostsOf(model, model.find('address by address', key), false),
    ...hostsOf(model, model.find('alias by address', key), true),
  ];
}

function hostsOf(model: Model, owners: readonly { readonly interfaceUuids: readonly string[] }[], isAlias: boolean): Host[] {
  return owners
    .flatMap(({ interfaceUuids }) => interfaceUuids)
    .flatMap((uuid) => model.get('virtual-machine-interface', uuid) ?? [])
    .map((found) => ({ interface: found, isAlias }));
}
