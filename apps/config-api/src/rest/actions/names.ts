import { metaOf, typeOf } from '@contrail/resource-model';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject, getObjectByName } from '../objects/find-object';
import { decodeName } from '../wire/decode-body';
import { textMember } from '../wire/json';
import type { JsonObject } from '../wire/json';
import { findTypeInBody, restTypeOf } from '../wire/rest-types';
import type { RestType } from '../wire/rest-types';

/** A type in a body, with hyphens or underscores. @throws RestError 404 */
export function typeMember(body: JsonObject, name: string): RestType {
  const text = textMember(body, name);
  const type = findTypeInBody(text);
  if (type !== undefined) return type;
  throw new RestError(404, `${name}: is ${JSON.stringify(text.slice(0, 80))}, which is no type of this API`);
}

/** `POST /fqname-to-id` */
export async function nameToId(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const type = typeMember(body, 'type');
  const fqName = decodeName('fq_name', body['fq_name'] ?? null);
  const found = await getObjectByName(context.store, type, fqName);
  await context.authorizer.check(request.user, 'get', found);
  return json({ uuid: metaOf(found).uuid });
}

/** `POST /id-to-fqname` */
export async function idToName(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const found = await getObject(context.store, undefined, textMember(body, 'uuid'));
  await context.authorizer.check(request.user, 'get', found);
  return json({ fq_name: metaOf(found).fqName, type: restTypeOf(typeOf(found)).name });
}

