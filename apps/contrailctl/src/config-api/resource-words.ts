import { ContrailError } from '@contrail/errors';
import type { ObjectKey } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { findRestType, isResourceType, isUuid, metaOf, restTypeName, typeNames, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';

/** Words that people are used to from the original's own tools. */
const abbreviations: Readonly<Record<string, ResourceType>> = {
  vn: 'virtual-network',
  vmi: 'virtual-machine-interface',
  vm: 'virtual-machine',
  vr: 'virtual-router',
  iip: 'instance-ip',
  fip: 'floating-ip',
  'fip-pool': 'floating-ip-pool',
  sg: 'security-group',
  ri: 'routing-instance',
  rt: 'route-target',
  ipam: 'network-ipam',
  lb: 'loadbalancer',
  aps: 'application-policy-set',
};

/**
 * The type that somebody means: `virtual-network`, `virtual_networks`, `VirtualNetwork`, `vn`.
 * @throws ContrailError INVALID_ARGUMENT that names what is alike.
 */
export function parseTypeWord(word: string): ResourceType {
  const kebab = word
    .replaceAll('_', '-')
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase();
  const singular = kebab.endsWith('ies') ? `${kebab.slice(0, -3)}y` : kebab.replace(/s$/, '');
  for (const candidate of [kebab, singular]) {
    if (isResourceType(candidate)) return candidate;
    const found = abbreviations[candidate] ?? findRestType(candidate);
    if (found !== undefined) return found;
  }
  const near = typeNames.filter((type) => distance(type, singular) <= 3 || (singular.length > 2 && type.includes(singular)));
  const remedy = near.length > 0 ? `did you mean ${near.slice(0, 4).join(' or ')}?` : 'contrailctl types lists them';
  throw new ContrailError('INVALID_ARGUMENT', `"${word}" is no type of the resource model; ${remedy}`);
}

/** A uuid, or names with colons. */
export function toKey(type: ResourceType, name: string): ObjectKey {
  const uuid = name.toLowerCase();
  return isUuid(uuid) ? { uuid, type, fqName: [] } : { uuid: '', type, fqName: name.split(':') };
}

/** `virtual-network/default-domain:default-project:blue`. */
export function objectName(resource: Resource): string {
  return `${restTypeName(typeOf(resource))}/${metaOf(resource).fqName.join(':')}`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
