import { findMessage, metaOf, shareScope } from '@contrail/resource-model';
import type { ShareScope } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { administratorOwner, perms2Of } from '../wire/permissions';
import type { Verb } from './kubernetes-access';

/** Bits of perms2. */
export const accessBits = { read: 4, write: 2, use: 1 } as const;

export function bitOf(verb: Verb): number {
  switch (verb) {
    case 'get':
    case 'list':
      return accessBits.read;
    case 'create':
    case 'update':
    case 'delete':
      return accessBits.write;
    case 'use':
      return accessBits.use;
  }
}

/**
 * What perms2 leaves to those who have rights in the object's own project: the owner's access, or what
 * is shared with that project or its domain when another one owns the object.
 */
export function isLeftToProject(
  resource: Resource,
  project: { readonly uuid: string; readonly domainUuid: string },
  bit: number,
): boolean {
  const { owner, ownerAccess } = perms2Of(metaOf(resource));
  if (owner === '' || owner === administratorOwner || shareScope(owner).uuid === project.uuid)
    return (ownerAccess & bit) !== 0;
  const shared = shareScopes(resource, bit).some(
    ({ kind, uuid }) => uuid === (kind === 'domain' ? project.domainUuid : project.uuid),
  );
  return shared || isShared(resource, bit);
}

/** Shared with everybody; `is_shared` of a network shares it to be read and referred to. */
export function isShared(resource: Resource, bit: number): boolean {
  if ((perms2Of(metaOf(resource)).globalAccess & bit) !== 0) return true;
  const network = findMessage('virtual-network', resource);
  return network?.isShared === true && bit !== accessBits.write;
}

/** Projects and domains with which the object is shared for this kind of access. */
export function shareScopes(resource: Resource, bit: number): ShareScope[] {
  return perms2Of(metaOf(resource)).share.flatMap(({ tenant, tenantAccess }) =>
    (tenantAccess & bit) === 0 ? [] : [shareScope(tenant)],
  );
}
