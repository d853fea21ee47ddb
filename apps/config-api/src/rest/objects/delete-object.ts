import { ContrailError } from '@contrail/errors';
import {
  describe,
  findMessage,
  goesWithParent,
  metaOf,
  predefinedTagTypes,
  typeOf,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { currentTraceparent } from '@contrail/telemetry';
import { audit } from '../../audit/audit';
import type { User } from '../auth/kubernetes-access';
import type { RestContext } from '../context';
import { changePending, waitingScope } from '../draft/draft-changes';
import { RestError } from '../http/rest-error';
import { hrefOf } from '../wire/encode-resource';

/** Children or referrers that an error names. */
const namedMax = 20;

/** @throws RestError 409 with the links of what still depends on the object. */
export async function deleteObject(
  context: RestContext,
  user: User,
  target: { readonly current: Resource; readonly root: string },
): Promise<{ readonly isPending: boolean }> {
  const { current, root } = target;
  await context.authorizer.check(user, 'delete', current);
  const scope = await waitingScope(context.store, current);
  if (scope !== undefined) {
    await changePending(context, scope, { current, state: 'deleted', apply: (stored) => stored });
    return { isPending: true };
  }
  const { uuid } = metaOf(current);
  const key = { uuid, type: typeOf(current), fqName: [] };
  try {
    await context.transactor.run(
      [{ kind: { $case: 'delete', value: { key, expectedRevision: 0n } } }],
      currentTraceparent(),
    );
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'FAILED_PRECONDITION') throw error;
    throw new RestError(409, `${error.message}${await dependentsText(context, current, root)}`);
  }
  audit({ user: user.username, verb: 'delete', objects: [describe(current)], result: 'done' });
  await context.addresses.release(current);
  await deleteUnusedTagType(context, current);
  return { isPending: false };
}

/** With the last tag of a type that somebody invented its TagType goes; one that is in use stays. */
async function deleteUnusedTagType({ transactor }: RestContext, deleted: Resource): Promise<void> {
  const type = findMessage('tag', deleted)?.tagTypeRefs[0];
  if (type === undefined || predefinedTagTypes.has(type.fqName.at(-1) ?? '')) return;
  const key = { uuid: type.uuid, type: 'tag-type', fqName: [] };
  const operation = { kind: { $case: 'delete' as const, value: { key, expectedRevision: 0n } } };
  try {
    await transactor.run([operation], currentTraceparent());
  } catch (error) {
    if (!(error instanceof ContrailError) || error.code !== 'FAILED_PRECONDITION') throw error;
  }
}

/** Links of what must go first; children that go with the object need no mention. */
async function dependentsText({ store }: RestContext, object: Resource, root: string): Promise<string> {
  const { uuid } = metaOf(object);
  const goesAlong = (child: Resource): boolean =>
    goesWithParent({ type: typeOf(child), name: metaOf(child).fqName.at(-1) ?? '' }, typeOf(object));
  const texts: string[] = [];
  for (const [kind, text] of [
    ['c', 'Delete when children still present'],
    ['s', 'Delete when resource still referred'],
  ] as const) {
    const found = await store.getMany(await store.dependents(uuid, kind, namedMax));
    const hrefs = found.flatMap((resource) =>
      resource === undefined || (kind === 'c' && goesAlong(resource)) ? [] : [hrefOf(root, typeOf(resource), metaOf(resource).uuid)],
    );
    if (hrefs.length > 0) texts.push(`\n${text}: ${hrefs.join(' ')}`);
  }
  return texts.join('');
}
