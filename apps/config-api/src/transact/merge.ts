import { ContrailError } from '@contrail/errors';
import {
  describe,
  encodeResource,
  fieldsOf,
  metaOf,
  readOnlyFields,
  setMeta,
  sortedAnnotations,
  typeOf,
  withFields,
} from '@contrail/resource-model';
import { IdPermsType } from '@contrail/proto-gen/config/v1/resources';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';

/**
 * A stored object with all fields replaced by the given ones. What a client cannot know stays: the
 * read-only fields, when it was created, and permissions that it does not mention.
 *
 * @throws ContrailError INVALID_ARGUMENT when name, type or parent differ: they never change.
 */
export function replaceFields(stored: Resource, given: Resource): Resource {
  checkIdentity(stored, given);
  const before = metaOf(stored);
  const after = metaOf(given);
  const kept = fieldsOf(stored);
  const merged = withFields(
    given,
    Object.fromEntries(readOnlyFields(typeOf(stored)).map(({ field }) => [field, kept[field]])),
  );
  return setMeta(merged, {
    ...after,
    parentType: before.parentType,
    parentUuid: before.parentUuid,
    fqName: before.fqName,
    idPerms: after.idPerms ?? before.idPerms,
    perms2: after.perms2 ?? before.perms2,
  });
}

/** @throws ContrailError INVALID_ARGUMENT */
export function checkIdentity(stored: Resource, given: Resource): void {
  const before = metaOf(stored);
  const after = metaOf(given);
  const was = describe(stored);
  if (typeOf(stored) !== typeOf(given)) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${describe(given)} meta.uuid: ${after.uuid} is ${was}, an object of another type; use another uuid`,
    );
  }
  if (after.fqName.length > 0 && JSON.stringify(after.fqName) !== JSON.stringify(before.fqName)) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${describe(given)} meta.fq_name: the object ${after.uuid} is named ${before.fqName.join(':')}, and names never ` +
        'change; delete it and create another with a uuid of its own',
    );
  }
  if (after.parentUuid !== '' && after.parentUuid !== before.parentUuid) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `${was} meta.parent_uuid: is ${after.parentUuid}, but the parent is ${before.parentUuid} and never changes; leave it empty`,
    );
  }
}

/** An object about to be written, as it is stored: time stamps of a client are never taken, nor its revision. */
export function stamp(next: Resource, previous: Resource | undefined, now: string): Resource {
  const meta = metaOf(next);
  const created = (previous && metaOf(previous).idPerms?.created) || now;
  const idPerms = IdPermsType.fromPartial({ ...meta.idPerms, created, lastModified: now });
  const annotations = sortedAnnotations(meta.annotations);
  return setMeta(next, { ...meta, revision: 0n, annotations, idPerms });
}

/** True when both would be stored alike, time stamps and revision apart. */
export function isEqual(a: Resource, b: Resource): boolean {
  return Buffer.compare(comparable(a), comparable(b)) === 0;
}

/** A transaction compares the same objects several times; resources are never modified. */
const comparableBytes = new WeakMap<Resource, Uint8Array>();

function comparable(resource: Resource): Uint8Array {
  const known = comparableBytes.get(resource);
  if (known !== undefined) return known;
  const meta = metaOf(resource);
  const idPerms = IdPermsType.fromPartial({ ...meta.idPerms, created: '', lastModified: '' });
  const bytes = encodeResource(setMeta(resource, { ...meta, revision: 0n, idPerms }));
  comparableBytes.set(resource, bytes);
  return bytes;
}
