import { ContrailError } from '@contrail/errors';
import { RestError } from '../http/rest-error';
import { empty, json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { optionalText, textMember } from '../wire/json';
import type { JsonObject } from '../wire/json';

/** Name of this store in Kubernetes roles. */
const resource = 'useragent-kvs';
const keyLengthMax = 1_024;

/** `POST /useragent-kv`: texts that clients keep here, such as the settings of their pages. */
export async function keyValues(
  context: RestContext,
  { user }: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const { store, authorizer } = context;
  const operation = textMember(body, 'operation');
  const key = optionalText(body, 'key');
  if (key !== undefined && key.length > keyLengthMax)
    throw new ContrailError('INVALID_ARGUMENT', `key: has ${key.length} characters, but at most ${keyLengthMax} are allowed`);
  switch (operation) {
    case 'RETRIEVE': {
      await authorizer.checkCluster(user, 'get', resource);
      if (key === undefined)
        return json({ value: (await store.texts()).map((item) => ({ key: item.key, value: item.text })) });
      const value = await store.getText(key);
      if (value === undefined) throw noKey(key);
      return json({ value });
    }
    case 'STORE':
      await authorizer.checkCluster(user, 'update', resource);
      await store.setText(textMember(body, 'key'), textOf(body));
      return empty;
    case 'DELETE':
      await authorizer.checkCluster(user, 'delete', resource);
      if (!(await store.deleteText(textMember(body, 'key')))) throw noKey(key ?? '');
      return empty;
    default:
      throw new RestError(404, `operation: is ${JSON.stringify(operation.slice(0, 80))}, but it must be STORE, RETRIEVE or DELETE`);
  }
}

/** Clients store texts; what is none is kept as its JSON. */
function textOf(body: JsonObject): string {
  const value = body['value'] ?? null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function noKey(key: string): RestError {
  return new RestError(404, `Unknown User-Agent key ${JSON.stringify(key.slice(0, 80))}: it was never stored, or deleted`);
}
