import { json } from '../http/request';
import type { Reply, UserRequest } from '../http/request';
import type { RestContext } from '../context';
import { getObject } from '../objects/find-object';
import { uuidMember } from '../wire/decode-body';
import { badField, isJsonObject, textList } from '../wire/json';
import type { Json, JsonObject } from '../wire/json';
import { findRestType } from '../wire/rest-types';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { audit } from '../../audit/audit';
import { describe } from '@contrail/resource-model';

/** Addresses that one request may take. */
const countMax = 1_000;

/** `POST /virtual-network/<uuid>/ip-alloc`: takes addresses without an object. */
export async function allocateAddresses(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const network = await getNetwork(context, request, 'update');
  const count = countMember(body['count'] ?? 1);
  const family = familyMember(body['family'] ?? null);
  const subnetUuid = uuidMember(body, 'subnet');
  const addresses = await context.addresses.take(network, { count, family, subnetUuid });
  report(request, network);
  return json({ ip_addr: addresses });
}

/** `POST /virtual-network/<uuid>/ip-free` */
export async function freeAddresses(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  const network = await getNetwork(context, request, 'update');
  await context.addresses.free(network, textList('ip_addr', body['ip_addr']));
  report(request, network);
  return json({});
}

/** `POST /virtual-network/<uuid>/subnet-ip-count` */
export async function countAddresses(
  context: RestContext,
  request: UserRequest,
  body: JsonObject,
): Promise<Reply> {
  await getNetwork(context, request, 'get');
  const subnets = textList('subnet_list', body['subnet_list']);
  return json({ ip_count_list: await context.addresses.counts(subnets) });
}

/** The network in the path, when the user may do this to it. */
async function getNetwork(
  { store, authorizer }: RestContext,
  { path, user }: UserRequest,
  verb: 'get' | 'update',
): Promise<Resource> {
  const network = await getObject(store, findRestType('virtual-network'), path[1] ?? '');
  await authorizer.check(user, verb, network);
  return network;
}

function report({ user }: UserRequest, network: Resource): void {
  audit({ user: user.username, verb: 'update', objects: [describe(network)], result: 'done' });
}

function countMember(value: Json): number {
  const count = typeof value === 'string' && /^\d{1,6}$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= countMax) return count;
  throw badField('count', value, `a whole number from 1 to ${countMax}`);
}

function familyMember(value: Json): 4 | 6 | undefined {
  if (value === null) return undefined;
  if (value === 'v4' || value === 4) return 4;
  if (value === 'v6' || value === 6) return 6;
  throw badField('family', isJsonObject(value) ? null : value, 'v4 or v6');
}
