import { mapRefs, metaOf, setMeta, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import type { Authorizer } from '../rest/auth/authorizer';
import type { User } from '../rest/auth/kubernetes-access';
import { guardNamespace } from '../rest/objects/body-to-resource';
import { checkNewReferences } from '../rest/objects/references';
import type { ObjectChange } from '../transact/working-set';

export interface ChangeRights {
  readonly authorizer: Authorizer;
  readonly store: ResourceStore;
}

/**
 * Refuses a transaction of a user who has not the right to every change in it, by the rules of the REST API.
 * @throws ContrailError PERMISSION_DENIED
 */
export async function authorizeChanges(
  rights: ChangeRights,
  user: User,
  changes: readonly ObjectChange[],
): Promise<void> {
  const created = new Map(
    changes.flatMap(({ previous, next }): [string, Resource][] =>
      previous === undefined && next !== undefined ? [[metaOf(next).uuid, next]] : [],
    ),
  );
  for (const change of changes) {
    await checkChange(rights.authorizer, user, { ...change, created });
    if (change.next === undefined) continue;
    guardNamespace(change.previous, change.next);
    // Whoever makes an object may refer to it.
    const after = mapRefs(change.next, ({ uuid, fqName }) =>
      created.has(uuid) ? undefined : { uuid, fqName: [...fqName] },
    );
    await checkNewReferences(rights, user, { before: change.previous, after });
  }
}

async function checkChange(
  authorizer: Authorizer,
  user: User,
  { previous, next, created }: ObjectChange & { readonly created: ReadonlyMap<string, Resource> },
): Promise<void> {
  if (previous !== undefined) {
    await authorizer.check(user, next === undefined ? 'delete' : 'update', previous);
    return;
  }
  if (next === undefined) return;
  // What a client says of its own object does not decide whether it may be made.
  const plain = setMeta(next, { ...metaOf(next), perms2: undefined });
  await authorizer.check(user, 'create', plain, placeOf(next, created));
}

/** The highest of the new parents of an object: its own parent is stored, or it has none. */
function placeOf(resource: Resource, created: ReadonlyMap<string, Resource>): Resource {
  let place = resource;
  while (typeOf(place) !== 'project') {
    const parent = created.get(metaOf(place).parentUuid);
    if (parent === undefined || parent === place) return place;
    place = parent;
  }
  return place;
}
