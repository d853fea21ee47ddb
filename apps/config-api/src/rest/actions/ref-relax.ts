import { describe, metaOf, refsOf, relaxTarget, setMeta } from '@contrail/resource-model';
import { RestError } from '../http/rest-error';
import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject } from '../objects/find-object';
import { modifyObject } from '../objects/update-object';
import { uuidMember } from '../wire/decode-body';
import { textMember } from '../wire/json';
import type { JsonObject } from '../wire/json';

/** `POST /ref-relax-for-delete`: this reference no longer keeps its target from being deleted. */
export async function relaxReference(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const current = await getObject(context.store, undefined, textMember(body, 'uuid'));
  const target = uuidMember(body, 'ref-uuid') ?? '';
  if (!refsOf(current).some(({ uuid }) => uuid === target))
    throw new RestError(404, `ref-uuid: ${describe(current)} does not refer to ${target || 'nothing'}; check the uuid`);
  await modifyObject(context, request.user, current, (stored) =>
    setMeta(stored, relaxTarget(metaOf(stored), target)),
  );
  return json({ uuid: metaOf(current).uuid });
}
