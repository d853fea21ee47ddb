import type { StructureSpec } from '../dsl';
import { accessStructures } from './access';
import { addressStructures } from './addresses';
import { bgpStructures } from './bgp';
import { dnsStructures } from './dns';
import { globalStructures } from './global';
import { interfaceStructures } from './interfaces';
import { loadbalancerStructures } from './loadbalancing';
import { networkStructures } from './networks';
import { routedNetworkStructures } from './routed-networks';
import { ruleStructures } from './rules';
import { securityStructures } from './security';
import { serviceStructures } from './services';

/** Structures of the Contrail schema, with its field names. Source: contrail-api-client schema. */
export const structures: readonly StructureSpec[] = [
  ...accessStructures,
  ...addressStructures,
  ...networkStructures,
  ...routedNetworkStructures,
  ...ruleStructures,
  ...securityStructures,
  ...interfaceStructures,
  ...globalStructures,
  ...bgpStructures,
  ...loadbalancerStructures,
  ...serviceStructures,
  ...dnsStructures,
];
