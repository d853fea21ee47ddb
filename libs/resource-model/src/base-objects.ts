import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { wellKnownUuid } from './identity';
import { defaultAutonomousSystem } from './implied-objects';
import {
  defaultDomainName,
  defaultProjectName,
  globalSystemConfigName,
  ipFabricNetworkName,
} from './names';
import { childFqName } from './naming-rules';
import { metaOf, toResource, typeOf } from './resource';
import type { ResourceType } from './resource';
import { predefinedTagTypes, tagTypeNamed } from './tags';

/** Version that clients of the original read from the global configuration. */
const configVersion = 'R21';

export const configRootUuid = wellKnownUuid('config-root', ['config-root']);
export const defaultDomainUuid = wellKnownUuid('domain', [defaultDomainName]);
export const defaultProjectUuid = wellKnownUuid('project', [defaultDomainName, defaultProjectName]);
export const globalSystemConfigUuid = wellKnownUuid('global-system-config', [
  globalSystemConfigName,
]);
export const ipFabricNetworkUuid = wellKnownUuid('virtual-network', [
  defaultDomainName,
  defaultProjectName,
  ipFabricNetworkName,
]);

/** Objects that every deployment has, parents first; config-api makes those that are absent. */
export function baseObjects(): Resource[] {
  const root = toResource('config-root', {
    meta: { uuid: configRootUuid, fqName: ['config-root'] },
  });
  const domain = toResource('domain', { meta: childMeta(root, 'domain', defaultDomainName) });
  const project = toResource('project', { meta: childMeta(domain, 'project', defaultProjectName) });
  const system = toResource('global-system-config', {
    meta: childMeta(root, 'global-system-config', globalSystemConfigName),
    autonomousSystem: defaultAutonomousSystem,
    configVersion,
  });
  return [
    root,
    domain,
    project,
    system,
    toResource('global-vrouter-config', {
      meta: childMeta(system, 'global-vrouter-config', 'default-global-vrouter-config'),
      vxlanNetworkIdentifierMode: 'automatic',
      encapsulationPriorities: { encapsulation: ['VXLAN'] },
    }),
    ...networksOf(project),
    ...securityScopeOf(root),
    ...[...predefinedTagTypes.keys()].map(tagTypeNamed),
    ...['native', 'opencontrail'].map((name) =>
      toResource('service-appliance-set', {
        meta: childMeta(system, 'service-appliance-set', name),
        serviceApplianceHaMode: name === 'native' ? '' : 'active-standby',
      }),
    ),
  ];
}

/** Networks that scripts of the original expect, and the instance below which BGP routers are. */
function networksOf(project: Resource): Resource[] {
  const fabric = toResource('virtual-network', {
    meta: childMeta(project, 'virtual-network', ipFabricNetworkName),
    virtualNetworkProperties: { forwardingMode: 'l3' },
  });
  return [
    fabric,
    toResource('routing-instance', {
      meta: childMeta(fabric, 'routing-instance', '__default__'),
      routingInstanceIsDefault: false,
    }),
    toResource('network-ipam', {
      meta: childMeta(project, 'network-ipam', 'default-network-ipam'),
    }),
  ];
}

/** Where global security policies are, with the set that applies to every application. */
function securityScopeOf(root: Resource): Resource[] {
  const scope = toResource('policy-management', {
    meta: childMeta(root, 'policy-management', 'default-policy-management'),
  });
  return [
    scope,
    toResource('application-policy-set', {
      meta: childMeta(scope, 'application-policy-set', 'default-application-policy-set'),
      allApplications: true,
    }),
  ];
}

function childMeta(
  parent: Resource,
  type: ResourceType,
  name: string,
): { uuid: string; fqName: string[]; parentType: string; parentUuid: string } {
  const { uuid, fqName } = metaOf(parent);
  const parentType = typeOf(parent);
  const childName = childFqName({ type: parentType, fqName }, name);
  return { uuid: wellKnownUuid(type, childName), fqName: childName, parentType, parentUuid: uuid };
}
