import { decodeResource, metaOf, resourceTypes } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ContrailError } from '@contrail/errors';

/*
 * Layout in Redis. Every key begins with `{<deployment>}:`, so that all keys of a deployment share one
 * hash slot:
 *   o:<uuid>    string     "<type number> <revision>\n" and the protobuf bytes of Resource
 *   n:<type>    sorted set "<name key>\0<uuid>", score 0: lookup by name, and lists in order of names
 *   d:<uuid>    sorted set dependents of the object: kind letter and uuid, score 0
 *   rev         integer    revision of the last change
 *   log         stream     one entry for each change, id "<revision>-0"
 *   epoch       hash       epoch, and run id of the server that it belongs to
 *   i:<space>   hash       key to numeric id; :next, :freed (list of "id@time in ms"), i:pending
 *   progress    hash       node to NodeProgress
 *   texts       hash       key to text of a client
 *   a:…         addresses, see allocation/
 */

/** How an object depends on another: child, strong reference, weak reference. */
export type DependentKind = 'c' | 's' | 'w';

/** Prefix of every key of a deployment. */
export function keyPrefix(deployment: string): string {
  return `{${deployment}}:`;
}

const numberByType = new Map(resourceTypes.map(({ name, number }) => [name, number]));
const typeByNumber = new Map(
  resourceTypes.map(({ name, number }) => [number, name as ResourceType]),
);

export function typeNumber(type: ResourceType): number {
  const number = numberByType.get(type);
  if (number === undefined)
    throw new ContrailError('INTERNAL', `resource type ${type} has no number`);
  return number;
}

/** @throws ContrailError DATA_LOSS for a number that this version does not know. */
export function typeOfNumber(number: number): ResourceType {
  const type = typeByNumber.get(number);
  if (type !== undefined) return type;
  throw new ContrailError(
    'DATA_LOSS',
    `the store holds an object of type number ${number}, which this version does not know; run the version that wrote it`,
  );
}

/** Parts joined by a control character, which names cannot contain: sorts parents before children. */
export function nameKey(fqName: readonly string[]): string {
  return fqName.join('\u001f');
}

/** Where the keys of names that continue a name begin, and where they have ended. */
export function namesBelow(fqName: readonly string[]): { from: string; to: string } {
  return { from: `${nameKey(fqName)}\u001f`, to: `${nameKey(fqName)}\u0020` };
}

/** The uuid in a member of `n:<type>`. */
export function uuidOfMember(member: string): string {
  return member.slice(member.indexOf('\0') + 1);
}

/** A resource from the bytes of the log or of an object, with its revision in meta. */
export function decodeBytes(bytes: Buffer, revision: bigint): Resource {
  const resource = decodeResource(bytes);
  // The object is fresh from the decoder, nobody else sees it.
  metaOf(resource).revision = revision;
  return resource;
}
