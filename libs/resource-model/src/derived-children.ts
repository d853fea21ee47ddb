import type {
  AclRuleType,
  Meta,
  PolicyRuleType,
  PortType,
  Resource,
} from '@contrail/proto-gen/config/v1/resources';
import { impliedUuid } from './identity';
import { childFqName } from './naming-rules';
import { findMessage, metaOf, toResource, typeOf, withFields } from './resource';
import type { ResourceType } from './resource';

const defaultPolicySetName = 'default-application-policy-set';
const defaultSecurityGroupName = 'default';

/**
 * Children that an object always has: made and removed with it, and changed only through it. The
 * routing instance of a network is apart (defaultRoutingInstance), it has a route target.
 */
export function derivedChildren(resource: Resource): Resource[] {
  switch (typeOf(resource)) {
    case 'project':
      return [
        toResource('application-policy-set', {
          meta: childMeta(resource, 'application-policy-set', defaultPolicySetName),
        }),
        defaultSecurityGroup(resource),
      ];
    case 'security-group':
      return accessControlLists(resource);
    default:
      return [];
  }
}

/** Types of children that derive from their parent, with identities from `childMeta`. */
const derivedTypes: readonly ResourceType[] = [
  'application-policy-set',
  'security-group',
  'access-control-list',
];

/** True for an object that only its parent's deletion removes. */
export function isDerivedChild(resource: Resource): boolean {
  const type = typeOf(resource);
  if (!derivedTypes.includes(type)) return false;
  const { uuid, parentUuid, fqName } = metaOf(resource);
  return parentUuid !== '' && uuid === impliedUuid(parentUuid, `${type}/${fqName.at(-1) ?? ''}`);
}

/** A project refers to its default application policy set, whatever its owner writes (R21). */
export function withDefaultPolicySet(project: Resource): Resource {
  const { uuid, fqName } = childMeta(project, 'application-policy-set', defaultPolicySetName);
  const refs = findMessage('project', project)?.applicationPolicySetRefs ?? [];
  if (refs.some((reference) => reference.uuid === uuid)) return project;
  return withFields(project, { applicationPolicySetRefs: [{ uuid, fqName }, ...refs] });
}

/** R21's group of interfaces that name no other: everything out, in only from its own members. */
function defaultSecurityGroup(project: Resource): Resource {
  const meta = childMeta(project, 'security-group', defaultSecurityGroupName);
  const everywhere = { IPv4: ['0.0.0.0', 0], IPv6: ['::', 0] } as const;
  const policyRule = (['IPv4', 'IPv6'] as const).flatMap((ethertype) => {
    const [ipPrefix, ipPrefixLen] = everywhere[ethertype];
    const local = [{ securityGroup: 'local' }];
    const rule = (role: string, ends: { src: object[]; dst: object[] }): object => ({
      ruleUuid: impliedUuid(meta.uuid, `${role}/${ethertype}`),
      direction: '>',
      protocol: 'any',
      ethertype,
      srcAddresses: ends.src,
      srcPorts: [{ startPort: 0, endPort: 65535 }],
      dstAddresses: ends.dst,
      dstPorts: [{ startPort: 0, endPort: 65535 }],
    });
    return [
      rule('ingress', { src: [{ securityGroup: meta.fqName.join(':') }], dst: local }),
      rule('egress', { src: local, dst: [{ subnet: { ipPrefix, ipPrefixLen } }] }),
    ];
  });
  return toResource('security-group', { meta, securityGroupEntries: { policyRule } });
}

/** What the group's rules admit, once for each direction, as R21 showed it. */
function accessControlLists(group: Resource): Resource[] {
  const rules = findMessage('security-group', group)?.securityGroupEntries?.policyRule ?? [];
  return (['ingress', 'egress'] as const).map((direction) => {
    const meta = childMeta(group, 'access-control-list', `${direction}-access-control-list`);
    const aclRule = rules.filter((rule) => isOf(rule, direction)).flatMap((rule) => toAclRules(rule, '>'));
    return toResource('access-control-list', {
      meta,
      accessControlListEntries: { dynamic: false, aclRule },
    });
  });
}

/** The protected interface is `local`: the destination of what comes in, the source of what goes out. */
function isOf(rule: PolicyRuleType, direction: 'ingress' | 'egress'): boolean {
  const ends = direction === 'ingress' ? rule.dstAddresses : rule.srcAddresses;
  return ends.some(({ securityGroup }) => securityGroup === 'local');
}

/** One rule for each combination of what a policy rule lists. */
export function toAclRules(rule: PolicyRuleType, direction: string): AclRuleType[] {
  const anyPort: PortType = { startPort: 0, endPort: 65535 };
  const ports = (list: readonly PortType[]): readonly PortType[] =>
    list.length === 0 ? [anyPort] : list;
  return rule.srcAddresses.flatMap((srcAddress) =>
    ports(rule.srcPorts).flatMap((srcPort) =>
      rule.dstAddresses.flatMap((dstAddress) =>
        ports(rule.dstPorts).map((dstPort) => ({
          matchCondition: {
            protocol: rule.protocol,
            ethertype: rule.ethertype,
            ...{ srcAddress, srcPort, dstAddress, dstPort },
          },
          actionList: rule.actionList,
          ruleUuid: rule.ruleUuid,
          direction,
        })),
      ),
    ),
  );
}

/** Identity of a child that its parent implies. */
export function childMeta(
  parent: Resource,
  type: ResourceType,
  name: string,
): Pick<Meta, 'uuid' | 'fqName' | 'parentType' | 'parentUuid'> {
  const { uuid, fqName } = metaOf(parent);
  const parentType = typeOf(parent);
  return {
    uuid: impliedUuid(uuid, `${type}/${name}`),
    fqName: childFqName({ type: parentType, fqName }, name),
    parentType,
    parentUuid: uuid,
  };
}
