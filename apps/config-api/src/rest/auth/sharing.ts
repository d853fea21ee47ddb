import { findMessage, metaOf } from '@contrail/resource-model';
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

/** Tenants are written with and without dashes, and with the kind before them. */
export function tenantUuid(tenant: string): string {
  const hex = tenant.replace(/^(tenant|project):/, '').replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(hex)) return tenant;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * What perms2 leaves to those who have rights in the object's own project: the owner's access, or what
 * is shared with that project when another one owns the object.
 */
export function isLeftToProject(resource: Resource, project: string, bit: number): boolean {
  const { owner, ownerAccess } = perms2Of(metaOf(resource));
  if (owner === '' || owner === administratorOwner || tenantUuid(owner) === project)
    return (ownerAccess & bit) !== 0;
  return isShared(resource, bit) || sharedTenants(resource, bit).includes(project);
}

/** Shared with everybody; `is_shared` of a network shares it to be read and referred to. */
export function isShared(resource: Resource, bit: number): boolean {
  if ((perms2Of(metaOf(resource)).globalAccess & bit) !== 0) return true;
  const network = findMessage('virtual-network', resource);
  return network?.isShared === true && bit !== accessBits.write;
}

/** Projects with which the object is shared for this kind of access. */
export function sharedTenants(resource: Resource, bit: number): string[] {
  return perms2Of(metaOf(resource)).share.flatMap(({ tenant, tenantAccess }) =>
    (tenantAccess & bit) === 0 ? [] : [tenantUuid(tenant)],
  );
}
