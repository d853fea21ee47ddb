import { typeOf } from '@contrail/resource-model';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject } from '../objects/find-object';
import { modifyObject } from '../objects/update-object';
import { collectionPropertyOf } from '../wire/collection-property';
import type { ElementUpdate } from '../wire/collection-property';
import { readElements, updateElement } from '../wire/elements';
import { badField, isJsonObject, textMember } from '../wire/json';
import type { Answer, Json, JsonObject } from '../wire/json';
import { restTypeOf } from '../wire/rest-types';
import { ContrailError } from '@contrail/errors';

const updatesMax = 1_000;

/** `GET /prop-collection-get?uuid=&fields=a,b[&position=]` */
export async function getElements(context: RestContext, request: UserRequest): Promise<Reply> {
  const { query, user } = request;
  const object = await getObject(context.store, undefined, query.get('uuid') ?? '');
  await context.authorizer.check(user, 'get', object);
  const fields = query.getAll('fields').flatMap((text) => text.split(','));
  const names = fields.filter((name) => name !== '');
  if (names.length === 0)
    throw new ContrailError('INVALID_ARGUMENT', 'fields: is missing; name the lists or maps to read');
  const position = query.get('position') ?? undefined;
  const type = restTypeOf(typeOf(object));
  const answer: Record<string, Answer> = {};
  for (const field of names) answer[field] = readElements(type, object, { field, position });
  return json(answer);
}

/** `POST /prop-collection-update`: all changes of one object, in one transaction. */
export async function updateElements(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const object = await getObject(context.store, undefined, textMember(body, 'uuid'));
  const given = body['updates'] ?? [];
  if (!Array.isArray(given)) throw badField('updates', given, 'a list');
  if (given.length > updatesMax)
    throw new ContrailError('INVALID_ARGUMENT', `updates: has ${given.length} entries, but at most ${updatesMax} are allowed`);
  const type = restTypeOf(typeOf(object));
  const updates = given.map((update: Json, i) => decodeUpdate(update, `updates[${i}]`));
  for (const { field } of updates) collectionPropertyOf(type, field);
  await modifyObject(context, request.user, object, (stored) =>
    updates.reduce((resource, update) => updateElement(type, resource, update), stored),
  );
  return json({});
}

function decodeUpdate(update: Json, path: string): ElementUpdate {
  if (!isJsonObject(update)) throw badField(path, update, 'an object');
  const operation = textMember(update, 'operation').toLowerCase();
  if (!isOperation(operation))
    throw badField(`${path}.operation`, operation, 'add, modify, delete or set');
  const position = update['position'] ?? null;
  if (position !== null && typeof position !== 'string' && typeof position !== 'number')
    throw badField(`${path}.position`, position, 'a text');
  return {
    field: textMember(update, 'field'),
    operation,
    value: update['value'] ?? null,
    position: position === null || position === '' ? undefined : String(position),
  };
}

function isOperation(text: string): text is ElementUpdate['operation'] {
  return ['add', 'modify', 'delete', 'set'].includes(text);
}
