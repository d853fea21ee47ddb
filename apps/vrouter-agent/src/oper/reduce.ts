import type { Facts } from './facts';
import { globalRows } from './global-rows';
import { interfaceRows } from './interface-rows';
import { labelRows } from './label-rows';
import { nodeRows } from './node-rows';
import { policyRows } from './policy-rows';
import { routeRows } from './route-rows';
import { serviceRows } from './service-rows';
import type { EntryKind } from './unit-key';
import { noRows } from './unit-rows';
import type { UnitRows } from './unit-rows';
import { vrfRows } from './vrf-rows';

/**
 * What one entry wants in the datapath; pure.
 *
 * @throws ContrailError INVALID_ARGUMENT when the entry is malformed, naming the field.
 */
export function reduce(kind: EntryKind, facts: Facts): UnitRows {
  switch (kind.$case) {
    case 'global':
      return globalRows(kind.value, facts);
    case 'node':
      return nodeRows(kind.value, facts);
    case 'vrf':
      return vrfRows(kind.value, facts);
    case 'label':
      return labelRows(kind.value);
    case 'interface':
      return interfaceRows(kind.value, facts);
    case 'route':
      return routeRows(kind.value, facts);
    case 'service':
      return serviceRows(kind.value, facts);
    case 'policy':
      return policyRows(kind.value);
    case 'identity':
      return noRows;
  }
}
