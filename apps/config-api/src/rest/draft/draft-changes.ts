import { randomUUID } from 'node:crypto';
import { metaOf, setMeta, typeOf, withFields } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { currentTraceparent } from '@contrail/telemetry';
import type { ResourceStore } from '@contrail/store';
import type { ResourceChange } from '../../transact/step';
import type { RestContext } from '../context';
import { RestError } from '../http/rest-error';
import { fillMessage } from '../wire/decode-body';
import { restTypeOf } from '../wire/rest-types';
import { committedName, draftScope, draftTypes, isDraftMode, isPending, pendingName } from './draft-scope';
import type { DraftScope, DraftState } from './draft-scope';

/** The scope in which a change of the object has to wait; undefined where it takes effect at once. */
export async function waitingScope(
  store: ResourceStore,
  resource: Resource,
): Promise<DraftScope | undefined> {
  if (!draftTypes.includes(typeOf(resource)) || isPending(resource)) return undefined;
  const [parent] = await store.getMany([metaOf(resource).parentUuid]);
  const scope = parent === undefined ? undefined : draftScope(parent);
  return scope !== undefined && (await isDraftMode(store, scope)) ? scope : undefined;
}

/** Keeps a new object until the commit. @returns it with the name that it has until then. */
export async function createPending(
  context: RestContext,
  scope: DraftScope,
  wanted: Resource,
): Promise<Resource> {
  const type = typeOf(wanted);
  const name = metaOf(wanted).fqName.at(-1) ?? '';
  const [taken] = await context.store.findUuids([{ type, fqName: committedName(scope, name) }]);
  if (taken !== undefined)
    throw new RestError(409, `fq_name: ${committedName(scope, name).join(':')} exists with uuid ${taken}; update it`);
  return await write(context, scope, toPending(scope, wanted, { uuid: metaOf(wanted).uuid, state: 'created' }));
}

/** Keeps a change of an object, or its deletion, until the commit; the object stays as it is. */
export async function changePending(
  context: RestContext,
  scope: DraftScope,
  change: { readonly current: Resource; readonly state: 'updated' | 'deleted'; readonly apply: ResourceChange },
): Promise<void> {
  const { current, state, apply } = change;
  const type = typeOf(current);
  const fqName = pendingName(scope, metaOf(current).fqName.at(-1) ?? '');
  const [uuid] = await context.store.findUuids([{ type, fqName }]);
  const [pending] = uuid === undefined ? [] : await context.store.getMany([uuid]);
  const identity = { uuid: uuid ?? randomUUID(), state };
  await write(context, scope, toPending(scope, apply(pending ?? current), identity));
}

/** The object as child of the policy-management that keeps pending ones. */
function toPending(
  scope: DraftScope,
  resource: Resource,
  { uuid, state }: { readonly uuid: string; readonly state: DraftState },
): Resource {
  const meta = metaOf(resource);
  const moved = setMeta(withFields(resource, { draftModeState: state }), {
    ...meta,
    uuid,
    fqName: pendingName(scope, meta.fqName.at(-1) ?? ''),
    parentType: 'policy-management',
    parentUuid: metaOf(scope.management).uuid,
    revision: 0n,
  });
  return state === 'deleted' ? withoutReferences(moved) : moved;
}

/** What will be deleted keeps nothing from being deleted before. */
function withoutReferences(resource: Resource): Resource {
  const { type, references } = restTypeOf(typeOf(resource));
  const empty = fillMessage(type, {});
  return withFields(resource, Object.fromEntries(references.map(({ field }) => [field, empty[field]])));
}

async function write(context: RestContext, scope: DraftScope, pending: Resource): Promise<Resource> {
  const upsert = (resource: Resource): Operation => ({ kind: { $case: 'upsert', value: { resource } } });
  const operations = [upsert(scope.management), upsert(pending)];
  const { outcomes } = await context.transactor.run(operations, currentTraceparent(), { setsReadOnly: true });
  return outcomes[1]?.resource ?? pending;
}
