import type { ResourceTypeSpec } from '../dsl';
import { globalTypes } from './global';
import { interfaceTypes } from './interfaces';
import { loadbalancerTypes } from './loadbalancing';
import { dnsAndBgpTypes } from './naming';
import { networkTypes } from './networks';
import { rootTypes } from './roots';
import { securityTypes } from './security';
import { serviceTypes } from './services';

/** Every resource type, parents before their children. Source: Contrail schema R21. */
export const resourceTypes: readonly ResourceTypeSpec[] = [
  ...rootTypes,
  ...globalTypes,
  ...networkTypes,
  ...interfaceTypes,
  ...securityTypes,
  ...loadbalancerTypes,
  ...serviceTypes,
  ...dnsAndBgpTypes,
];
