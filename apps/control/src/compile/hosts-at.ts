import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { Model } from '../model/model';
import type { InstanceIpObject, InterfaceObject } from '../model/model-object';

/** An interface and one of its addresses. */
export interface Host {
  readonly instanceIp: InstanceIpObject;
  readonly interface: InterfaceObject;
}

/** Every interface that has the address, in whatever network, those of services too; in order of uuid. */
export function hostsAt(model: Model, address: Address): Host[] {
  const hosts: Host[] = [];
  for (const instanceIp of model.find('address by address', addressKey(address))) {
    for (const uuid of instanceIp.interfaceUuids) {
      const found = model.get('virtual-machine-interface', uuid);
      if (found !== undefined) hosts.push({ instanceIp, interface: found });
    }
  }
  return hosts;
}
