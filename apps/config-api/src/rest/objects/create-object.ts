import { describe, metaOf, setMeta, specOf, typeOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { currentTraceparent } from '@contrail/telemetry';
import { audit } from '../../audit/audit';
import type { User } from '../auth/kubernetes-access';
import type { RestContext } from '../context';
import { createPending, waitingScope } from '../draft/draft-changes';
import { RestError, notFoundIs } from '../http/rest-error';
import type { ObjectBody } from '../wire/decode-body';
import { restTypeOf } from '../wire/rest-types';
import { completionOf } from './completion';
import { checkObject } from './refusals';
import { parentNameOf, parentTypeOf, toNewResource } from './body-to-resource';
import type { Parent } from './body-to-resource';
import { getObject, getObjectByName } from './find-object';
import { checkNewReferences, resolveReferences } from './references';

/** A new object; a pending one takes effect with the next commit. */
export interface Created {
  readonly resource: Resource;
  readonly isPending: boolean;
}

/**
 * Creates what a body says. A parent or a reference that does not exist makes the request wrong (400).
 * @throws ContrailError, RestError
 */
export async function createObject(
  context: RestContext,
  user: User,
  body: ObjectBody,
): Promise<Created> {
  return await notFoundIs(400, create(context, user, body));
}

async function create(context: RestContext, user: User, body: ObjectBody): Promise<Created> {
  const { store, transactor, authorizer, addresses } = context;
  const [parent, references] = await Promise.all([
    findParent(context, body),
    resolveReferences(store, body.references),
  ]);
  const named = toNewResource(body, parent, references);
  const wanted = (await completionOf(store, named))(named);
  checkObject(wanted);
  // What a client says of its own object does not decide whether it may be made.
  await authorizer.check(user, 'create', setMeta(wanted, { ...metaOf(wanted), perms2: undefined }));
  await checkNewReferences(context, user, { before: undefined, after: wanted });
  const scope = await waitingScope(store, wanted);
  if (scope !== undefined)
    return { resource: await createPending(context, scope, wanted), isPending: true };
  const lease = await addresses.lease(wanted);
  try {
    const operation = { kind: { $case: 'create' as const, value: { resource: lease.resource } } };
    // Read-only fields of the client are refused before; those that are left are ours.
    const ours = { setsReadOnly: true };
    const { outcomes } = await transactor.run([operation], currentTraceparent(), ours);
    const created = outcomes[0]?.resource ?? lease.resource;
    audit({ user: user.username, verb: 'create', objects: [describe(created)], result: 'done' });
    return { resource: created, isPending: false };
  } catch (error) {
    await lease.cancel();
    throw error;
  }
}

async function findParent({ store }: RestContext, body: ObjectBody): Promise<Parent | undefined> {
  if (body.parentUuid !== undefined) {
    const parent = await getObject(store, undefined, body.parentUuid);
    const { parents } = specOf(body.type.type);
    if (parents.includes(typeOf(parent))) return toParent(parent);
    throw new RestError(
      400,
      `parent_uuid: ${body.parentUuid} is ${describe(parent)}, but the parent of a ${body.type.name} is a ${parents.join(' or a ')}`,
    );
  }
  const type = parentTypeOf(body);
  if (type === undefined) return undefined;
  return toParent(await getObjectByName(store, restTypeOf(type), parentNameOf(body, type)));
}

function toParent(parent: Resource): Parent {
  const { uuid, fqName } = metaOf(parent);
  return { type: typeOf(parent), uuid, fqName };
}
