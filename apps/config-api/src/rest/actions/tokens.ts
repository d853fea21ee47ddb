import { RestError } from '../http/rest-error';
import type { Reply, RestRequest } from '../http/request';
import type { RestContext } from '../context';
import { isJsonObject } from '../wire/json';
import type { Answer, Json } from '../wire/json';
import { tokenInfo } from './permissions';

/** How long clients may think that the token holds; whether it does, Kubernetes decides at each request. */
const lifetimeMs = 3_600_000;

/**
 * `POST /v3/auth/tokens`: the identity service that clients of the original ask for a token. The
 * password is a Kubernetes token, and so is the token that they get.
 */
export async function issueTokenV3(context: RestContext, request: RestRequest): Promise<Reply> {
  const token = memberAt(request.body, ['auth', 'identity', 'password', 'user', 'password']);
  const answer = await describeToken(context, token);
  return { kind: 'json', status: 201, headers: { 'x-subject-token': token }, body: answer };
}

/** `POST /v2.0/tokens`: the same for older clients. */
export async function issueTokenV2(context: RestContext, request: RestRequest): Promise<Reply> {
  const token = memberAt(request.body, ['auth', 'passwordCredentials', 'password']);
  await describeToken(context, token);
  const expires = new Date(Date.now() + lifetimeMs).toISOString();
  return { kind: 'json', body: { access: { token: { id: token, expires } } } };
}

async function describeToken(context: RestContext, token: string): Promise<Answer> {
  const user = await context.access.authenticate(token);
  if (user === undefined)
    throw new RestError(401, 'password: Kubernetes refuses it; write a Kubernetes token there');
  const isAdministrator = await context.authorizer.mayInCluster(user, 'delete', '*');
  const info = tokenInfo(user, isAdministrator) as { readonly token: Readonly<Record<string, Answer>> };
  const now = Date.now();
  return {
    token: {
      ...info.token,
      issued_at: new Date(now).toISOString(),
      expires_at: new Date(now + lifetimeMs).toISOString(),
    },
  };
}

/** A text deep in a body; line breaks would end the header in which it goes back. */
function memberAt(body: Json, path: readonly string[]): string {
  let value: Json | undefined = body;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  if (typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value)) return value;
  throw new RestError(401, `${path.join('.')}: is missing; write a Kubernetes token there`);
}
