import { ContrailError } from '@contrail/errors';
import { describeName, metaOf, refsOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore, TypedName } from '@contrail/store';
import type { User } from '../auth/kubernetes-access';
import type { RestContext } from '../context';
import { restTypeOf } from '../wire/rest-types';
import type { GivenReference } from '../wire/decode-body';
import type { RestReference } from '../wire/rest-types';
import type { ResolvedReferences } from './body-to-resource';

/**
 * Gives every reference its uuid. @throws ContrailError NOT_FOUND for a name that nothing has.
 */
export async function resolveReferences(
  store: ResourceStore,
  given: ReadonlyMap<RestReference, readonly GivenReference[]>,
): Promise<ResolvedReferences> {
  const resolved = new Map<RestReference, readonly GivenReference[]>();
  for (const [reference, items] of given) {
    const names = items
      .filter(({ uuid }) => uuid === '')
      .map(({ fqName }): TypedName => ({ type: reference.to, fqName }));
    const uuids = names.length === 0 ? [] : await store.findUuids(names);
    resolved.set(reference, items.map((item) => {
      if (item.uuid !== '') return item;
      const uuid = uuids.shift();
      if (uuid !== undefined) return { ...item, uuid };
      throw new ContrailError(
        'NOT_FOUND',
        `${reference.name}: ${describeName(reference.to, item.fqName)} does not exist; create it first`,
      );
    }));
  }
  return resolved;
}

/**
 * Whoever makes a reference needs the right to use its target.
 * @throws ContrailError PERMISSION_DENIED, NOT_FOUND
 */
export async function checkNewReferences(
  context: Pick<RestContext, 'authorizer' | 'store'>,
  user: User,
  change: { readonly before: Resource | undefined; readonly after: Resource },
): Promise<void> {
  const known = new Set(change.before === undefined ? [] : refsOf(change.before).map(({ uuid }) => uuid));
  const added = refsOf(change.after).filter(({ uuid }) => !known.has(uuid));
  const unsure: { readonly uuid: string; readonly type: ResourceType }[] = [];
  for (const reference of added) {
    const { plural } = restTypeOf(reference.type);
    if (!(await context.authorizer.mayInCluster(user, 'use', plural))) unsure.push(reference);
  }
  if (unsure.length === 0) return;
  const targets = await context.store.getMany(unsure.map(({ uuid }) => uuid));
  for (const [i, { uuid, type }] of unsure.entries()) {
    const target = targets[i];
    if (target === undefined || typeOf(target) !== type) {
      throw new ContrailError(
        'NOT_FOUND',
        `${metaOf(change.after).fqName.join(':')}: refers to ${type} ${uuid}, which does not exist; create it first`,
      );
    }
    await context.authorizer.check(user, 'use', target);
  }
}
