import { property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Service instances, their templates and health checks. */
export const serviceTypes: readonly ResourceTypeSpec[] = [
  resourceType(47, 'service-template', {
    parents: ['domain'],
    properties: [
      p(10, 'service_config_managed', 'bool', { initial: false, storedOnly: true }),
      p(11, 'service_template_properties', 'ServiceTemplateType', { storedOnly: true }),
    ],
    references: [ref(100, 'service-appliance-set')],
    doc: 'Kind of service instances: mode, type, interfaces.',
  }),
  resourceType(48, 'service-health-check', {
    parents: ['project'],
    properties: [
      p(10, 'service_health_check_properties', 'ServiceHealthCheckType', { storedOnly: true }),
    ],
    references: [ref(100, 'service-instance', { attr: 'ServiceInterfaceTag', weak: true })],
    doc: 'How interfaces or service instances are probed.',
  }),
  resourceType(49, 'service-instance', {
    parents: ['project'],
    properties: [
      p(10, 'service_instance_bgp_enabled', 'bool', { initial: true, storedOnly: true }),
      p(11, 'service_instance_bindings', 'KeyValuePairs', {
        collection: { kind: 'map', element: 'key_value_pair', key: 'key' },
        storedOnly: true,
        doc: 'Facts of the hypervisor, by key.',
      }),
      p(12, 'service_instance_properties', 'ServiceInstanceType', { storedOnly: true }),
    ],
    references: [
      ref(100, 'instance-ip', { attr: 'ServiceInterfaceTag' }),
      ref(101, 'service-template'),
    ],
    doc: 'A network function between networks.',
  }),
  resourceType(50, 'port-tuple', {
    parents: ['service-instance'],
    derivedFrom: ['service-instance'],
    references: [ref(100, 'logical-router'), ref(101, 'virtual-network')],
    doc: 'The interfaces of one replica of a service instance.',
  }),
];
