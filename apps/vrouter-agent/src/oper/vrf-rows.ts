import type { Vrf } from '@contrail/proto-gen/control/v1/messages';
import { addressSpaceNumber } from './address-space';
import { checkedAddress } from './checked';
import type { Facts } from './facts';
import { networkQuota } from './flow-quota';
import type { UnitRows } from './unit-rows';

/** A VRF, and the addresses in it that the vRouter itself answers for. */
export function vrfRows(vrf: Vrf, facts: Facts): UnitRows {
  return {
    vrfs: [
      [
        vrf.id,
        {
          maxFlows: networkQuota(vrf, facts.local().flowCapacity),
          vni: vrf.vni,
          space: addressSpaceNumber(vrf.addressSpace),
        },
      ],
    ],
    gateways: vrf.gatewayAddresses.map((address) => ({
      vrf: vrf.id,
      address: checkedAddress('vrf.gateway_addresses', address),
    })),
  };
}
