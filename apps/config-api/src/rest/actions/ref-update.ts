import { fieldsOf, metaOf, withFields } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject, getObjectByName } from '../objects/find-object';
import { modifyObject } from '../objects/update-object';
import { decodeAttribute, decodeName, fillReferences, uuidMember } from '../wire/decode-body';
import { badField, textMember } from '../wire/json';
import type { JsonObject } from '../wire/json';
import { restTypeOf } from '../wire/rest-types';
import type { RestReference, RestType } from '../wire/rest-types';
import { typeMember } from './names';

interface Stored {
  readonly uuid: string;
}

/** `POST /ref-update`: adds one reference, or replaces its attribute, or deletes it. */
export async function updateReference(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const type = typeMember(body, 'type');
  const reference = referenceMember(type, body);
  const operation = textMember(body, 'operation').toUpperCase();
  if (operation !== 'ADD' && operation !== 'DELETE')
    throw badField('operation', operation, 'ADD or DELETE');
  const attr = decodeAttribute(reference, body['attr'] ?? null, 'ref-update');
  const current = await getObject(context.store, type, textMember(body, 'uuid'));
  const target = await findTarget(context, reference, { body, mustExist: operation === 'ADD' });
  const { uuid, fqName } = target;
  const [added] = fillReferences(type, reference, [{ uuid, fqName, attr }]);
  await modifyObject(context, request.user, current, (stored) => {
    const before = (fieldsOf(stored)[reference.field] ?? []) as readonly Stored[];
    const others = before.filter((item) => item.uuid !== uuid);
    const after = operation === 'ADD' ? replaceInPlace(before, uuid, added) : others;
    return withFields(stored, { [reference.field]: after });
  });
  return json({ uuid: metaOf(current).uuid });
}

function replaceInPlace(before: readonly Stored[], uuid: string, added: unknown): unknown[] {
  const exists = before.some((item) => item.uuid === uuid);
  return exists ? before.map((item) => (item.uuid === uuid ? added : item)) : [...before, added];
}

/** `network-ipam`, `network_ipam` or `network_ipam_refs`. @throws RestError 404 */
function referenceMember(type: RestType, body: JsonObject): RestReference {
  const text = textMember(body, 'ref-type').replaceAll('-', '_').replace(/_refs$/, '');
  const reference = type.references.find(({ name }) => name === `${text}_refs`);
  if (reference !== undefined) return reference;
  const known = type.references.map(({ to }) => restTypeOf(to).name).join(', ');
  throw new RestError(404, `ref-type: is ${JSON.stringify(text.slice(0, 80))}, but a ${type.name} refers to ${known}`);
}

async function findTarget(
  { store }: RestContext,
  reference: RestReference,
  { body, mustExist }: { readonly body: JsonObject; readonly mustExist: boolean },
): Promise<{ uuid: string; fqName: readonly string[] }> {
  const uuid = uuidMember(body, 'ref-uuid');
  const type = restTypeOf(reference.to);
  const fqName = body['ref-fq-name'] ?? null;
  if (uuid === undefined && fqName === null)
    throw badField('ref-uuid', null, 'a uuid; or give ref-fq-name');
  // A reference goes whatever became of its target.
  if (uuid !== undefined && !mustExist) return { uuid, fqName: [] };
  const found: Resource =
    uuid === undefined
      ? await getObjectByName(store, type, decodeName('ref-fq-name', fqName))
      : await getObject(store, type, uuid);
  return metaOf(found);
}
