import { property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** The tree above everything else. */
export const rootTypes: readonly ResourceTypeSpec[] = [
  resourceType(10, 'config-root', {
    doc: 'Root of all objects; exactly one, uuid fixed.',
  }),
  resourceType(11, 'domain', {
    parents: ['config-root'],
    properties: [
      p(10, 'domain_limits', 'DomainLimitsType', { storedOnly: true }),
    ],
    doc: 'Administrative domain.',
  }),
  resourceType(12, 'project', {
    parents: ['domain'],
    properties: [
      p(10, 'vxlan_routing', 'bool', { storedOnly: true }),
      p(11, 'alarm_enable', 'bool', { storedOnly: true }),
      p(12, 'enable_security_policy_draft', 'bool', {
        initial: false,
        storedOnly: true,
        doc: 'Changes of security policies wait for a commit.',
      }),
      p(13, 'quota', 'QuotaType', {
        doc: 'Most objects of each type in the project; -1 means no limit.',
      }),
    ],
    references: [
      ref(100, 'alias-ip-pool'),
      ref(101, 'application-policy-set'),
      ref(102, 'floating-ip-pool'),
    ],
    unservedReferences: ['namespace'],
    doc: 'Tenant; one for each Kubernetes namespace, or one shared by configuration.',
  }),
  resourceType(32, 'policy-management', {
    parents: ['config-root', 'project'],
    doc: 'Scope of security policies; one is global, others belong to a project.',
  }),
];
