import { property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Load balancers and their parts. */
export const loadbalancerTypes: readonly ResourceTypeSpec[] = [
  resourceType(28, 'loadbalancer', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_provider', 'string', { doc: '`native` or `opencontrail`.' }),
      p(11, 'loadbalancer_properties', 'LoadbalancerType'),
      p(12, 'service_traffic', 'ServiceTraffic', { grpcOnly: true }),
    ],
    references: [
      ref(100, 'service-appliance-set', { max: 1 }),
      ref(101, 'virtual-machine-interface'),
      ref(102, 'service-instance'),
    ],
    doc: 'A Service or an Ingress; its uuid is the uid of that object.',
  }),
  resourceType(29, 'loadbalancer-listener', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_listener_properties', 'LoadbalancerListenerType'),
    ],
    references: [ref(100, 'loadbalancer', { max: 1 })],
    doc: 'A port of a load balancer.',
  }),
  resourceType(46, 'loadbalancer-healthmonitor', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_healthmonitor_properties', 'LoadbalancerHealthmonitorType', {
        storedOnly: true,
      }),
    ],
    doc: 'How members of pools are probed.',
  }),
  resourceType(30, 'loadbalancer-pool', {
    parents: ['project'],
    properties: [
      p(10, 'loadbalancer_pool_properties', 'LoadbalancerPoolType'),
      p(11, 'loadbalancer_pool_provider', 'string'),
      p(12, 'loadbalancer_pool_custom_attributes', 'KeyValuePairs', { storedOnly: true }),
    ],
    references: [
      ref(100, 'service-appliance-set', { max: 1 }),
      ref(101, 'virtual-machine-interface'),
      ref(102, 'loadbalancer-listener', { max: 1 }),
      ref(103, 'loadbalancer-healthmonitor'),
      ref(104, 'service-instance'),
    ],
    doc: 'The members behind a listener.',
  }),
  resourceType(31, 'loadbalancer-member', {
    parents: ['loadbalancer-pool'],
    properties: [
      p(10, 'loadbalancer_member_properties', 'LoadbalancerMemberType'),
      p(11, 'endpoint_conditions', 'EndpointConditions', { grpcOnly: true }),
    ],
    doc: 'One endpoint and port; annotations `vmi` and `vm` name the pod as in R21.',
  }),
];
