import { explicit as o, property as p, reference as ref, resourceType } from '../dsl';
import type { ResourceTypeSpec } from '../dsl';

/** Security groups, and security policy by tags. */
export const securityTypes: readonly ResourceTypeSpec[] = [
  resourceType(18, 'security-group', {
    parents: ['project'],
    properties: [
      p(10, 'security_group_id', 'uint32', { readOnly: true }),
      p(11, 'configured_security_group_id', 'uint32', { initial: 0 }),
      p(12, 'security_group_entries', 'PolicyEntriesType'),
    ],
    doc: 'Allow rules for the interfaces that refer to it.',
  }),
  resourceType(38, 'access-control-list', {
    parents: ['virtual-network', 'security-group'],
    derivedFrom: ['security-group', 'virtual-network'],
    properties: [
      p(10, 'access_control_list_entries', 'AclEntriesType', { storedOnly: true }),
      o(11, 'access_control_list_hash', 'uint64', { storedOnly: true, doc: 'Hash of the rules.' }),
    ],
    doc: 'Rules as compiled for a network or a security group; made and removed with it.',
  }),
  resourceType(39, 'tag-type', {
    properties: [
      o(10, 'tag_type_id', 'string', {
        readOnly: true,
        doc: 'Number of the type, `0x` and 4 hexadecimal digits; set in the create transaction.',
      }),
    ],
    doc: 'Kind of tags, such as `tier`; numbered for the datapath.',
  }),
  resourceType(40, 'tag', {
    parents: ['config-root', 'project'],
    properties: [
      o(10, 'tag_id', 'string', {
        readOnly: true,
        doc: 'Number of type and value, `0x` and 8 hexadecimal digits; set in the create transaction.',
      }),
      p(11, 'tag_predefined', 'bool', { initial: false, doc: 'Made by the system.' }),
      o(12, 'tag_type_name', 'string', { doc: 'Name of the TagType.' }),
      o(13, 'tag_value', 'string', { doc: 'Unique within its type and scope.' }),
    ],
    references: [ref(100, 'tag-type')],
    doc: 'A label `type=value` that security policies select by; global below config-root, else of a project.',
  }),
  resourceType(41, 'address-group', {
    parents: ['policy-management', 'project'],
    properties: [
      p(10, 'address_group_prefix', 'SubnetListType', {
        collection: { kind: 'list', element: 'subnet' },
        storedOnly: true,
      }),
      o(11, 'draft_mode_state', 'string', {
        values: ['created', 'updated', 'deleted'],
        readOnly: true,
        doc: 'Empty outside draft mode.',
      }),
    ],
    doc: 'Named list of prefixes for firewall rules.',
  }),
  resourceType(42, 'service-group', {
    parents: ['policy-management', 'project'],
    properties: [
      o(10, 'draft_mode_state', 'string', {
        values: ['created', 'updated', 'deleted'],
        readOnly: true,
        doc: 'Empty outside draft mode.',
      }),
      p(11, 'service_group_firewall_service_list', 'FirewallServiceGroupType', {
        collection: { kind: 'list', element: 'firewall_service' },
        storedOnly: true,
      }),
    ],
    doc: 'Named list of protocols and ports for firewall rules.',
  }),
  resourceType(43, 'firewall-rule', {
    parents: ['policy-management', 'project'],
    properties: [
      p(10, 'action_list', 'ActionListType', { storedOnly: true }),
      o(11, 'direction', 'string', { values: ['<', '>', '<>'], storedOnly: true }),
      o(12, 'draft_mode_state', 'string', {
        values: ['created', 'updated', 'deleted'],
        readOnly: true,
        doc: 'Empty outside draft mode.',
      }),
      p(13, 'endpoint_1', 'FirewallRuleEndpointType', { storedOnly: true }),
      p(14, 'endpoint_2', 'FirewallRuleEndpointType', { storedOnly: true }),
      p(15, 'match_tag_types', 'FirewallRuleMatchTagsTypeIdList', {
        readOnly: true,
        doc: 'Numbers of match_tags.',
      }),
      p(16, 'match_tags', 'FirewallRuleMatchTagsType', {
        collection: { kind: 'list', element: 'tag_list' },
        storedOnly: true,
        doc: 'Tag types in which both end points must agree.',
      }),
      p(17, 'service', 'FirewallServiceType', { storedOnly: true }),
    ],
    references: [ref(100, 'address-group'), ref(101, 'service-group'), ref(102, 'virtual-network')],
    unservedReferences: ['security-logging-object'],
    doc: 'What passes between two end points named by tags, prefixes, groups or networks.',
  }),
  resourceType(44, 'firewall-policy', {
    parents: ['policy-management', 'project'],
    properties: [
      o(10, 'draft_mode_state', 'string', {
        values: ['created', 'updated', 'deleted'],
        readOnly: true,
        doc: 'Empty outside draft mode.',
      }),
    ],
    references: [ref(100, 'firewall-rule', { attr: 'FirewallSequence' })],
    unservedReferences: ['security-logging-object'],
    doc: 'Ordered list of firewall rules.',
  }),
  resourceType(45, 'application-policy-set', {
    parents: ['policy-management', 'project'],
    properties: [
      p(10, 'all_applications', 'bool', {
        initial: false,
        readOnly: true,
        doc: 'Applies to every application; only of the default sets.',
      }),
      o(11, 'draft_mode_state', 'string', {
        values: ['created', 'updated', 'deleted'],
        readOnly: true,
        doc: 'Empty outside draft mode.',
      }),
    ],
    references: [
      ref(100, 'firewall-policy', { attr: 'FirewallSequence' }),
      ref(101, 'global-vrouter-config'),
    ],
    doc: 'Ordered list of firewall policies, chosen by the tag `application`.',
  }),
];
