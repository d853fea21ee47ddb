import { ContrailError } from '@contrail/errors';
import { describeName, isUuid, metaOf, parseResourceType, typeOf } from '@contrail/resource-model';
import type { GetRequest, ListRequest } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ListQuery, ResourceStore, StoredObject, StoredPage } from '@contrail/store';
import { parseKey } from '../transact/step';
import type { StepKey } from '../transact/step';

const pageSizeDefault = 500;
const pageSizeMax = 1000;
/** Objects looked at for one page when a filter drops most of them. */
const scanMax = 10_000;

/** @throws ContrailError NOT_FOUND, INVALID_ARGUMENT */
export async function getResource(
  store: ResourceStore,
  request: GetRequest,
): Promise<StoredObject> {
  const key = parseKey(request.key);
  const uuid = key.by === 'uuid' ? key.uuid : (await store.findUuids([key]))[0];
  const [found] = uuid === undefined ? [] : await store.getStored([uuid]);
  if (found === undefined || (key.type !== undefined && found.type !== key.type)) {
    throw new ContrailError('NOT_FOUND', `${nameOf(key)} does not exist; check the name or uuid`);
  }
  return found;
}

function nameOf(key: StepKey): string {
  return key.by === 'name'
    ? describeName(key.type, key.fqName)
    : `${key.type ?? 'object'} ${key.uuid}`;
}

/** One page in order of fq_name. @throws ContrailError INVALID_ARGUMENT, NOT_FOUND for the parent */
export async function listResources(
  store: ResourceStore,
  request: ListRequest,
): Promise<StoredPage> {
  const type = parseResourceType(request.type);
  if (request.pageSize > pageSizeMax) {
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `page_size: is ${request.pageSize}, but a page has at most ${pageSizeMax} objects; ask for less`,
    );
  }
  const size = request.pageSize === 0 ? pageSizeDefault : request.pageSize;
  const parent = request.parentUuid === '' ? undefined : await parentOf(store, request.parentUuid);
  const wanted = Object.entries(request.annotations);
  const objects: StoredObject[] = [];
  let after = request.pageToken;
  let scanned = 0;
  do {
    const limit = size - objects.length;
    const page = await store.listStored({
      type,
      after,
      limit,
      ...(parent === undefined ? {} : { parent }),
    });
    for (const object of page.objects)
      if (wanted.length === 0 || hasAnnotations(object.resource, wanted)) objects.push(object);
    after = page.next;
    scanned += limit;
  } while (after !== '' && objects.length < size && wanted.length > 0 && scanned < scanMax);
  return { objects, next: after };
}

function hasAnnotations(
  resource: Resource,
  wanted: readonly (readonly [string, string])[],
): boolean {
  const { annotations } = metaOf(resource);
  return wanted.every(([key, value]) => annotations[key] === value);
}

async function parentOf(
  store: ResourceStore,
  uuid: string,
): Promise<NonNullable<ListQuery['parent']>> {
  if (!isUuid(uuid))
    throw new ContrailError(
      'INVALID_ARGUMENT',
      `parent_uuid: is "${uuid}", but it must be a lower-case UUID`,
    );
  const [parent] = await store.getMany([uuid]);
  if (parent === undefined)
    throw new ContrailError('NOT_FOUND', `parent_uuid: ${uuid} does not exist; list without it`);
  return { type: typeOf(parent), uuid, fqName: metaOf(parent).fqName };
}
