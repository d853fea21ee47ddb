import type { GlobalConfig } from '@contrail/proto-gen/control/v1/messages';
import type { Facts } from './facts';
import { interfaceQuota } from './flow-quota';
import { noRows } from './unit-rows';
import type { UnitRows } from './unit-rows';

/** The node's own interface: processes of the host are one more endpoint, in the fabric VRF. */
export function globalRows(config: GlobalConfig, facts: Facts): UnitRows {
  const { hostIfindex, podMtu, flowCapacity } = facts.local();
  if (hostIfindex === 0) return noRows;
  return {
    vifs: [
      [
        { ifindex: hostIfindex, vlan: 0 },
        {
          kind: 'host',
          vrf: config.fabricVrf,
          identity: config.hostIdentity,
          policy: 0,
          portSecurity: false,
          mac: new Uint8Array(6),
          mtu: podMtu,
          // What one remote pod may begin with the node; the node's own processes have no limit.
          maxFlows: interfaceQuota(0, flowCapacity),
          uuid: new Uint8Array(16),
          addressesV4: [],
        },
      ],
    ],
  };
}
